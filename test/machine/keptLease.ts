import type { AnswerBody, EffectOf } from '@shardwise/effects'
import {
  type LeaseKeeperEffect,
  type LeaseKeeperEvent,
  type LeaseKeeperInput,
  type LeaseKeeperState,
  leaseKeeper,
  startLeaseKeeper,
} from '@shardwise/machine'
import { type Failure, noEffects, type OutstandingEffects } from './outstandingEffects.ts'

/** The failover time of the leases under test, in ms. */
export const failoverTimeMillis = 6_000

/** A lease keeper under test: it takes events, and shows the effects of its last step. */
export interface KeptLease {
  readonly state: LeaseKeeperState
  readonly effects: readonly LeaseKeeperEffect[]
  readonly outstanding: OutstandingEffects
  /** The types of the last effects; of a shutdown the reason. */
  readonly asked: readonly string[]
  send(event: LeaseKeeperEvent): void
  /** The heartbeat's timer fires. */
  beat(nowMs: number): void
  renew(answer: AnswerBody<'renewLease'> | Failure): void
  release(answer: AnswerBody<'releaseLease'> | Failure): void
  /** Fires a timer that was asked for. */
  fire(timer: EffectOf<'startTimer'> | null | undefined, nowMs?: number): void
}

/** Keeps a lease that was acquired at 0, and is renewed here unless said otherwise. */
export function aKeptLease(facts: Partial<LeaseKeeperInput> = {}): KeptLease {
  const shardId = 'shardId-000000000001'
  let [state, effects] = startLeaseKeeper({
    leaseKey: shardId,
    token: 7,
    shardId,
    parentShardIds: ['shardId-000000000000'],
    acquiredMs: 0,
    renews: true,
    failoverTimeMillis,
    gracefulLeaseHandoffTimeoutMillis: 30_000,
    seed: 1,
    ...facts,
  })
  const outstanding = noEffects()
  outstanding.take(effects)
  const send = (event: LeaseKeeperEvent): void => {
    ;[state, effects] = leaseKeeper.step(state, event)
    outstanding.take(effects, 'id' in event ? event.id : undefined)
  }
  const fire: KeptLease['fire'] = (timer, nowMs = 0) => {
    if (timer?.type !== 'startTimer') throw new Error(`timer: expected one, got ${JSON.stringify(timer)}`)
    send({ type: 'timerFired', id: timer.id, nowMs })
  }
  return {
    get state() {
      return state
    },
    get effects() {
      return effects
    },
    get asked() {
      return effects.map((effect) => (effect.type === 'shutDownConsumer' ? effect.reason : effect.type))
    },
    outstanding,
    send,
    fire,
    beat(nowMs) {
      const { heartbeat } = state
      fire(heartbeat?.type === 'startTimer' ? heartbeat : null, nowMs)
    },
    renew: (answer) => send(outstanding.answer('renewLease', answer)),
    release: (answer) => send(outstanding.answer('releaseLease', answer)),
  }
}

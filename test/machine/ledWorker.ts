import type { AnswerBody, AnsweredEffectType, Lease, NewLease, Shard } from '@shardwise/effects'
import {
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorOptions,
  type CoordinatorState,
  coordinator,
  startCoordinator,
} from '@shardwise/machine'
import { type Failure, noEffects, type OutstandingEffects } from './outstandingEffects.ts'
import { aLease, idOf, lastHashKey } from './shardGraphs.ts'

/** A coordinator under test: it takes events, and shows the effects of its last step. */
export interface LedWorker {
  readonly state: CoordinatorState
  readonly effects: readonly CoordinatorEffect[]
  readonly outstanding: OutstandingEffects
  /** The types of the last effects. */
  readonly asked: readonly string[]
  send(event: CoordinatorEvent): void
  /** Answers the one effect of this type that is outstanding. */
  answer<K extends AnsweredEffectType>(type: K, body: AnswerBody<K> | Failure): void
  /** Fires the timer that is out, and tells what it was for, in ms. */
  wait(): number
  /** Answers every call about a single lease that is out; `taken` says which leases are acquired, all unless given. */
  settleCalls(taken?: (leaseKey: string) => boolean): void
}

/** Starts a coordinator of the worker `me`. */
export function aLedWorker(options: Partial<CoordinatorOptions> = {}): LedWorker {
  let [state, effects] = startCoordinator({
    workerId: 'me',
    initialPosition: { type: 'TRIM_HORIZON' },
    leaseMode: 'kcl',
    failoverTimeMillis: 10_000,
    leaseScanIntervalMillis: 10_000,
    maxLeasesForWorker: 1_000,
    maxLeasesToStealAtOneTime: 1,
    isGracefulLeaseHandoffEnabled: true,
    gracefulLeaseHandoffTimeoutMillis: 30_000,
    cleanupLeasesOfCompletedShards: true,
    completedLeaseCleanupIntervalMillis: 300_000,
    leasesRecoveryAuditorExecutionFrequencyMillis: 120_000,
    leasesRecoveryAuditorInconsistencyConfidenceThreshold: 3,
    garbageLeaseCleanupIntervalMillis: 1_800_000,
    skipShardSyncAtWorkerInitializationIfLeasesExist: false,
    ignoreUnexpectedChildShards: false,
    maxInitializationAttempts: 4,
    seed: 1,
    ...options,
  })
  const outstanding = noEffects()
  outstanding.take(effects)
  const send = (event: CoordinatorEvent): void => {
    ;[state, effects] = coordinator.step(state, event)
    outstanding.take(effects, 'id' in event ? event.id : undefined)
  }
  return {
    get state() {
      return state
    },
    get effects() {
      return effects
    },
    get asked() {
      return effects.map(({ type }) => type)
    },
    outstanding,
    send,
    answer: (type, body) => send(outstanding.answer(type, body) as CoordinatorEvent),
    wait() {
      const timer = outstanding.awaited.find(({ type }) => type === 'startTimer')
      if (timer?.type !== 'startTimer') throw new Error(`wait: expected a timer, got ${JSON.stringify(outstanding.awaited)}`)
      send({ type: 'timerFired', id: timer.id, nowMs: 0 })
      return timer.delayMs
    },
    settleCalls(taken = () => true) {
      for (const effect of outstanding.awaited) {
        const { id } = effect
        if (effect.type === 'createLease') send({ type: 'leaseCreated', id })
        else if (effect.type === 'deleteLease') send({ type: 'leaseDeleted', id })
        else if (effect.type === 'requestHandoff') send({ type: taken(effect.leaseKey) ? 'handoffRequested' : 'handoffRefused', id })
        else if (effect.type === 'acquireLease') {
          const { leaseKey, leaseCounter: counter } = effect
          const lease = aLease({ leaseKey, leaseOwner: 'me', leaseCounter: counter + 1 })
          if (taken(leaseKey)) send({ type: 'leaseAcquired', id, lease, token: counter + 1, nowMs: 0 })
          else send({ type: 'leaseRefused', id })
        }
      }
    },
  }
}

/** Shards that share the hash keys. */
export function tiledShards(count: number, first = 0): readonly Shard[] {
  const width = (1n << 128n) / BigInt(count)
  return Array.from({ length: count }, (_, n) => ({
    shardId: idOf(first + n),
    parentShardIds: [],
    hashKeyRange: {
      startingHashKey: String(width * BigInt(n)),
      endingHashKey: n === count - 1 ? lastHashKey : String(width * BigInt(n + 1) - 1n),
    },
    startingSequenceNumber: String(n),
    closed: false,
  }))
}

/** Leases for shards, owned by nobody unless said otherwise. */
export function leasesOf(shards: readonly Shard[], facts: Partial<Lease> = {}): readonly Lease[] {
  return shards.map(({ shardId, parentShardIds, hashKeyRange }) => aLease({ leaseKey: shardId, parentShardIds, hashKeyRange, ...facts }))
}

/** Leases as they stand after their creation. */
export function rowsOf(created: readonly NewLease[]): readonly Lease[] {
  return created.map((lease) => aLease(lease))
}

export const listed = (leases: readonly Lease[], nowMs = 0) => ({ type: 'leasesListed', leases, nowMs }) as const
export const shardsListed = (shards: readonly Shard[]) => ({ type: 'shardsListed', shards }) as const

/** Takes a coordinator through its start at a table that covers the stream, until it waits for its next look. */
export function untilRunning(leases: readonly Lease[], options: Partial<CoordinatorOptions> = {}): LedWorker {
  const worker = aLedWorker(options)
  worker.answer('ensureTable', { type: 'tableReady' })
  worker.answer('listLeases', listed(leases))
  worker.answer('listShards', shardsListed(tiledShards(leases.length)))
  if (worker.state.phase !== 'running') throw new Error(`leases: expected some that cover the stream, got ${JSON.stringify(leases)}`)
  return worker
}

import type { Handlers, PureMachine, Step } from '@shardwise/effects'
import type { ShardConsumerInput, ShardEffect, ShardEvent } from '@shardwise/machine'
import { aFunction, expectRule, type Rule } from '../rules.ts'

const capabilities = {
  anyMachine: 'runs whatever machine it is given, not the shard consumer alone',
  restores: 'begins with the snapshot that it is given, and with the effects that this one awaits',
  observes: 'calls `observe` at every step',
  aborts: 'gives handlers a signal that fires when the machine cancels their effect',
  ends: 'has `done`, which resolves at the end and rejects when a contract is broken',
  closes: 'has `close`',
} as const satisfies Readonly<Record<string, string>>

/** What a runtime may do beside the least that the law of the driver asks. */
export type Capability = keyof typeof capabilities

/** What a runtime is asked to run. */
export interface RuntimeSetup<Snapshot> {
  /** Its steps are pure and its snapshots are plain JSON. Runtimes without `anyMachine` run the shard consumer instead: then it is that one. */
  readonly machine: PureMachine<Snapshot, ShardEvent, ShardEffect>
  /** The first snapshot and its effects, or a restored one and those that it awaits. */
  readonly start: readonly [Snapshot, readonly ShardEffect[]]
  /** What the shard consumer is started with, for runtimes that start it by themselves. */
  readonly input: ShardConsumerInput
  readonly handlers: Handlers<Exclude<ShardEffect['type'], 'cancel'>>
  readonly observe: (step: Step<Snapshot, ShardEvent, ShardEffect>) => void
}

/** A machine that a runtime runs. */
export interface RunningMachine {
  /** Feeds an event from outside. A promise is not waited for, but it must not reject. */
  send(event: ShardEvent): unknown
  /**
   * Resolves when the machine ends, with its last snapshot where the runtime takes any machine. Rejects when a contract is broken: the machine, the observer or
   * a handler without an answer throws, or an answer is not in the table.
   */
  readonly done?: Promise<unknown>
  /** Stops at once, as a crash would. */
  close?(): unknown
  /**
   * Resolves when every event and answer until now has been taken and the effects have been started. Without it the suite waits until nothing has happened
   * for 50 turns of the microtask queue, which is not enough for a runtime that passes through timers, a disk or a network.
   */
  idle?(): Promise<unknown>
}

/** An embedding of the machine, in the form that `conformance` can hold to the law of the driver. */
export interface Runtime {
  /** What it can; a case that needs more is left out by name. */
  readonly can: readonly Capability[]
  run<Snapshot>(setup: RuntimeSetup<Snapshot>): RunningMachine
}

/** @throws Error that names the member of the runtime that is wrong. */
export function checkRuntime(runtime: Runtime): void {
  const given: Partial<Runtime> | null = runtime
  if (typeof given?.run !== 'function') throw new Error(`run: expected a function that runs a machine, got ${String(given?.run)}`)
  const unknownMember = Object.keys(given).find((name) => name !== 'can' && name !== 'run')
  if (unknownMember !== undefined) throw new Error(`${unknownMember}: not a member of a runtime, expected one of can, run`)
  const known = Object.keys(capabilities)
  if (!Array.isArray(given.can)) throw new Error(`can: expected a list of ${known.join(', ')}, got ${String(given.can)}`)
  const unknown = (given.can as readonly string[]).find((capability) => !known.includes(capability))
  if (unknown !== undefined) throw new Error(`can: expected a list of ${known.join(', ')}, got ${unknown}`)
}

/** @throws Error that names the member of the running machine that is wrong, or is missing although the runtime says that it can do what it is for. */
export function checkRunning(running: RunningMachine, can: readonly Capability[]): void {
  const given: Partial<RunningMachine> | null | undefined = running
  if (typeof given !== 'object' || given === null) throw new Error(`run: expected it to give back a running machine, got ${String(given)}`)
  if (isPromise(given)) throw new Error('run: expected it to give back a running machine, got a promise of one')
  const { send, done, close, idle } = given
  expectRule('send', aFunction, send)
  if (done !== undefined) expectRule('done', aPromise, done)
  if (close !== undefined) expectRule('close', aFunction, close)
  if (idle !== undefined) expectRule('idle', aFunction, idle)
  if (can.includes('closes') && close === undefined) throw new Error('close: expected of a runtime that says it closes, got undefined')
  if (can.includes('ends') && done === undefined) throw new Error('done: expected of a runtime that says it ends, got undefined')
}

const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
const aPromise: Rule = ['a promise', isPromise]

/** Why a case is left out: what the runtime does not say that it can. */
export function lackOf(runtime: Runtime, needs: readonly Capability[]): string | null {
  const lacking = needs.filter((capability) => !runtime.can.includes(capability))
  return lacking.length === 0 ? null : lacking.map((capability) => `${capability}: ${capabilities[capability]}`).join('; ')
}

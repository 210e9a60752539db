import type * as machine from '@shardwise/machine'

/** What every engine offers: the shard consumer as functions. */
export type Engine = Pick<typeof machine, (typeof engineFunctions)[number]>

/** The names of an engine's functions, as its module exports them. */
export const engineFunctions = ['start', 'step', 'outstanding', 'restore', 'replay', 'shardConsumer'] as const

/** One way to run the machine. */
export interface EngineEntry {
  readonly name: string
  /** The module that exports the functions. */
  readonly module: string
}

/** Every engine that is executed; the first one's effects are what all others are compared with. */
export const engines: readonly [EngineEntry, ...EngineEntry[]] = [
  { name: 'XState', module: '@shardwise/machine' },
  { name: 'compiled', module: '@shardwise/machine/compiled' },
]

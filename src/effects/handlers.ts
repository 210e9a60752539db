import type { AnswerBody, AnsweredEffectType, EffectOf, EffectType, effectTable, Port } from './table.ts'

/** What an abort signal must offer; the one of the web platform does. */
export interface AbortSignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** What a handler gets beside the effect. `signal` fires when the machine cancels the effect or the interpreter is closed. */
export interface HandlerContext {
  readonly signal: AbortSignalLike
  /** Calls back once when the effect is aborted, for handlers that hand no signal on: a signal takes a kilobyte, and not every runtime has them. */
  onAbort(listener: () => void): void
}

/** Carries out one type of effect. It answers from the table, or rejects with what the table does not know. */
export type Handler<K extends EffectType> = K extends AnsweredEffectType
  ? (effect: EffectOf<K>, context: HandlerContext) => AnswerBody<K> | Promise<AnswerBody<K>>
  : (effect: EffectOf<K>) => void

/** A handler for each of these effects. */
export type Handlers<K extends EffectType> = { readonly [T in K]: Handler<T> }

/** The effects of one port. `cancel` is the driver's own. */
export type EffectsOf<P extends Port> = {
  [K in EffectType]: (typeof effectTable)[K]['port'] extends P ? K : never
}[EffectType]

/** Checkpoints and parents, for shard consumers. */
export type LeaseStore = Handlers<EffectsOf<'leaseStore'>>
/** The lease table, for the coordinator. */
export type LeaseTable = Handlers<EffectsOf<'leaseTable'>>
/** Reads shards. */
export type RecordSource = Handlers<EffectsOf<'recordSource'>>
/** Lists the shards of the stream. */
export type StreamDirectory = Handlers<EffectsOf<'streamDirectory'>>
/** Calls the user's record processors. */
export type Processor = Handlers<EffectsOf<'processor'>>
/** Waits for the machine, which knows no clock. */
export type Timers = Handlers<EffectsOf<'timers'>>
/** Hears the signals of a shard consumer. */
export type ConsumerOwner = Handlers<EffectsOf<'consumerOwner'>>
/** Runs the keepers of leases for the coordinator. */
export type LeaseHost = Handlers<EffectsOf<'leaseHost'>>
/** Runs the shard consumer of a lease for its keeper. */
export type ConsumerHost = Handlers<EffectsOf<'consumerHost'>>

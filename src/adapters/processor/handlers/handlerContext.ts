import type { ExtendedSequenceNumber, ShardId } from '@shardwise/effects'
import type { CallbackSignal } from '../recordProcessor.ts'

/** What a handler is told beside its records. */
interface ShardContext {
  readonly shardId: ShardId
  /** The fencing token: it grows with each owner of the lease, so a store that keeps the highest one can refuse the writes of an earlier owner. */
  readonly token: number
  /** Milliseconds; undefined when Kinesis did not say. */
  readonly millisBehindLatest: number | undefined
  /** How often the present batch was handed over before: 0 the first time. */
  readonly attempt: number
  /** Fires when the lease is lost while the present batch is handled. */
  readonly signal: CallbackSignal
  /**
   * Has no further batch of this shard handed over, nor the present one again, until the function that is returned is called, or the lease leaves the worker.
   * The rest of the present batch still comes; the lease is kept. Both stand alone, and may be kept after the handler has ended.
   */
  readonly pause: () => () => void
}

/** What a handler of many records is told beside them. */
export interface BatchContext extends ShardContext {
  /**
   * Says that every record up to a position is done with, and stores that at once. Rejects with the KCL's names, as `Checkpointer` does: with
   * IllegalArgumentException for a position that was not handed over.
   */
  checkpoint(position: ExtendedSequenceNumber): Promise<void>
}

/** What the handler of one record is told beside it. */
export interface RecordContext extends ShardContext {
  /**
   * Asks for a checkpoint, up to this record at most: it is stored when the handlers of every record up to the position have succeeded. There is nothing to
   * await; if it cannot be stored, the batch fails.
   * @throws Error named IllegalArgumentException for a position above this record, InvalidStateException after the handler has ended.
   */
  checkpoint(position: ExtendedSequenceNumber): void
}

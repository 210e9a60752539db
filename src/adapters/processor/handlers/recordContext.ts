import { compareSequenceNumbers, type ExtendedSequenceNumber, type KinesisRecord, type ShardId } from '@shardwise/effects'
import { checkpointPosition } from '../checkpointPosition.ts'
import { kclError } from '../kclError.ts'
import type { CallbackSignal } from '../recordProcessor.ts'
import type { RecordContext } from './handlerContext.ts'
import type { Delivery } from './handlerProcessor.ts'

/** The context of one record, which notes the checkpoints that its handler asks for. */
export class NotingContext implements RecordContext {
  readonly shardId: ShardId
  readonly token: number
  readonly millisBehindLatest: number | undefined
  readonly attempt: number
  readonly pause: () => () => void
  /** Stands alone, so that it may be destructured. */
  readonly checkpoint: (position: ExtendedSequenceNumber) => void
  readonly asked: ExtendedSequenceNumber[] = []
  readonly #input: Delivery['input']
  #ended = false

  constructor(record: KinesisRecord, { input, token }: Delivery) {
    this.shardId = input.shardId
    this.token = token
    this.millisBehindLatest = input.millisBehindLatest
    this.attempt = input.attempt
    this.pause = input.pause
    this.#input = input
    this.checkpoint = (...args: readonly unknown[]) => {
      if (this.#ended) {
        throw kclError({
          name: 'InvalidStateException',
          message: 'checkpoint: the handler of this record has ended, so it may not ask for more',
        })
      }
      const [given] = args
      // Through the one reader of positions; an undefined one would otherwise be everything.
      const position = checkpointPosition([given]) ?? record
      if (compareSequenceNumbers(position, record) > 0) {
        const { sequenceNumber, subSequenceNumber } = position
        throw kclError({
          name: 'IllegalArgumentException',
          message: `checkpoint: expected a position up to the record being handled, got ${sequenceNumber}/${subSequenceNumber}`,
        })
      }
      this.asked.push(position)
    }
  }

  get signal(): CallbackSignal {
    return this.#input.signal
  }

  /** The handler has succeeded or failed. */
  end(): void {
    this.#ended = true
  }
}

import type { ExtendedSequenceNumber, ShardId } from '@shardwise/effects'
import type { CallbackSignal } from '../recordProcessor.ts'
import type { BatchContext } from './handlerContext.ts'
import type { Delivery } from './handlerProcessor.ts'

/** The context of one delivery. Signals are made when they are asked for. */
export class DeliveryContext implements BatchContext {
  readonly shardId: ShardId
  readonly token: number
  readonly millisBehindLatest: number | undefined
  readonly attempt: number
  readonly pause: () => () => void
  /** Stands alone, so that it may be destructured. */
  readonly checkpoint: (position: ExtendedSequenceNumber) => Promise<void>
  readonly #input: Delivery['input']

  constructor({ input, token, progress }: Delivery) {
    this.shardId = input.shardId
    this.token = token
    this.millisBehindLatest = input.millisBehindLatest
    this.attempt = input.attempt
    this.pause = input.pause
    this.checkpoint = (position) => progress.storeAt(input.checkpointer, position)
    this.#input = input
  }

  get signal(): CallbackSignal {
    return this.#input.signal
  }
}

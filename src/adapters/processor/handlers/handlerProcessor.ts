import type { KinesisRecord } from '@shardwise/effects'
import type { ProcessRecordsInput, RecordProcessor } from '../recordProcessor.ts'
import { recordsAbove } from '../recordsAbove.ts'
import { leaseIsLost, oneOf } from './failures.ts'
import type { ParsedPolicy } from './handlerOptions.ts'
import { Progress } from './progress.ts'

/** One batch on its way to a handler. */
export interface Delivery {
  /** Those that this processor has not handled yet: none when only the checkpoint of the batch failed. */
  readonly records: readonly KinesisRecord[]
  readonly input: ProcessRecordsInput
  readonly token: number
  readonly progress: Progress
}

/**
 * A record processor that owns its checkpoints. `handle` notes in the progress how far it came, also where it rejects; what is below that is not given to it
 * again.
 */
export function handlerProcessor(policy: ParsedPolicy, handle: (delivery: Delivery) => Promise<void>): RecordProcessor {
  const progress = new Progress(policy)
  let token = 0
  return {
    initialize(input) {
      token = input.token
      progress.begin(input.extendedSequenceNumber)
    },
    async processRecords(input) {
      const records = recordsAbove(input.records, progress.handled)
      await settleBatch(policy, progress, input, () => handle({ records, input, token, progress }))
    },
    ...deadLetterOf(policy, progress),
    leaseLost() {},
    shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
    async shutdownRequested({ checkpointer }) {
      // Without a position: the end of the last batch that succeeded. More of a batch that failed cannot be stored any more.
      if (policy.automatic && progress.isAhead) await checkpointer.checkpoint()
    },
  }
}

/** The `deadLetter` of a processor whose handler was given one: what it has taken counts as handled. */
export function deadLetterOf({ deadLetter }: ParsedPolicy, progress: Progress): Pick<RecordProcessor, 'deadLetter'> {
  if (deadLetter === undefined) return {}
  return {
    async deadLetter(letter) {
      await deadLetter(letter)
      const { records } = letter
      const last = records.at(-1)
      if (last !== undefined) progress.advance(last, records.length)
    },
  }
}

/** Handles a batch, and stores what the policy wants to be stored when it has succeeded or failed. */
export async function settleBatch(
  policy: ParsedPolicy,
  progress: Progress,
  input: ProcessRecordsInput,
  handle: () => Promise<void>,
): Promise<void> {
  const { checkpointer } = input
  progress.beginBatch()
  try {
    await handle()
  } catch (failure) {
    if (policy.automatic && !progress.storeFailed && !leaseIsLost(input)) {
      await progress.store(checkpointer).catch((further: unknown) => {
        throw oneOf([failure, further])
      })
    }
    throw failure
  }
  if (policy.afterBatch || progress.isDue) await progress.store(checkpointer)
}

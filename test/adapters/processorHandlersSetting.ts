import {
  createBatchStore,
  type ExtendedSequenceNumber,
  type HandlerContext,
  interpret,
  isSentinel,
  type KinesisRecord,
  TRIM_HORIZON,
} from '@shardwise/effects'
import { type ShardConsumerOptions, type ShardEvent, shardConsumer, start } from '@shardwise/machine'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { hostRecordProcessor, type RecordProcessor } from '@shardwise/processor'

export const shardId = 'shardId-000000000000'

/** The text of a record. */
export const textOf = ({ data }: Pick<KinesisRecord, 'data'>): string => new TextDecoder().decode(data)

/** Lets everything go on that waits for promises alone. */
export const turns = async (count = 200): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** A promise with its settling functions. */
export function aGate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** How the writes of checkpoints go wrong: `now` is asked before each. */
type WriteFault = 'throttled' | 'checkpointRefused' | null

const tipMs = 77_777
const context: HandlerContext = { signal: new AbortController().signal, onAbort() {} }

/**
 * A shard in memory whose records have these texts; the first letter of a text is its partition key. It has ended, unless it is said to be open. Any number
 * of consumers may run on it, one after another.
 */
export function aShard(texts: readonly string[], { isOpen = false, perRead = 1_000 } = {}) {
  const stream = createMemoryStream({ maxRecordsPerRead: perRead })
  const textAt = new Map<string, string>()
  const put = (text: string): void => {
    const { sequenceNumber } = stream.put({ partitionKey: text.charAt(0), data: new TextEncoder().encode(text) })
    textAt.set(sequenceNumber, text)
  }
  texts.forEach(put)
  if (!isOpen) stream.split(shardId)
  const table = createMemoryLeaseTable()
  const leases = table.store()
  let counter = -1

  /** Runs one consumer on the shard. */
  const consume = async (
    processor: RecordProcessor,
    given: {
      readonly options?: Partial<ShardConsumerOptions>
      readonly writeFault?: () => WriteFault
      readonly maxAttempts?: number
      readonly onWrite?: (position: string) => void
    } = {},
  ) => {
    const lease = {
      leaseKey: shardId,
      checkpoint: TRIM_HORIZON,
      parentShardIds: [],
      hashKeyRange: { startingHashKey: '0', endingHashKey: String(2n ** 128n - 1n) },
    }
    if (counter < 0) await leases.createLease({ type: 'createLease', id: 1, lease }, context)
    const row = table.rows().find(({ leaseKey }) => leaseKey === shardId)
    counter = row?.leaseCounter ?? 0
    const acquired = await leases.acquireLease(
      { type: 'acquireLease', id: 2, leaseKey: shardId, leaseCounter: counter, leaseOwner: row?.leaseOwner ?? null, workerId: 'w' },
      context,
    )
    if (acquired.type !== 'leaseAcquired') throw new Error(`acquireLease: got ${acquired.type}`)
    const stored: string[] = []
    const failures: string[] = []
    const effects: string[] = []
    const batches = createBatchStore()
    const tip = aGate()
    const early: ShardEvent[] = []
    let send = (event: ShardEvent): void => void early.push(event)
    const host = hostRecordProcessor({ processor, shardId, batches, send: (event) => send(event) })
    const running = interpret({
      machine: shardConsumer,
      start: start({
        shardId,
        token: acquired.token,
        // As a worker does.
        options: {
          idleTimeInMilliseconds: tipMs,
          missedShardEndCheckpoint: processor.shutdownOnce === true ? 'replay' : 'retry',
          ...given.options,
        },
      }),
      handlers: {
        ...leases,
        ...memoryRecordSource({ stream, batches }),
        ...host.handlers,
        async writeCheckpoint(effect, itsContext) {
          given.onWrite?.(name(effect.checkpoint))
          const fault = given.writeFault?.() ?? null
          if (fault !== null) return { type: fault }
          const answer = await leases.writeCheckpoint(effect, itsContext)
          if (answer.type === 'checkpointWritten') stored.push(name(effect.checkpoint))
          return answer
        },
        startTimer({ delayMs }) {
          if (delayMs !== tipMs) return turns(1).then(() => ({ type: 'timerFired', nowMs: 0 }))
          tip.open()
          return new Promise(() => undefined)
        },
        signalShutdownNotificationComplete: () => send({ type: 'shutdown', reason: 'LEASE_LOST' }),
        signalLeaseLost() {},
        signalShutdownComplete() {},
      },
      observe({ event, effects: asked }) {
        effects.push(...asked.map(({ type }) => type))
        if (event === null || !('error' in event)) return
        failures.push(`${event.type} ${event.error.name}: ${event.error.message}`)
        // A property that goes wrong must not run for ever.
        if (failures.length > (given.maxAttempts ?? 500)) throw new Error(`too many failures: ${failures.at(-1)}`)
      },
    })
    send = (event) => running.send(event)
    early.forEach(send)
    const { done } = running
    void done.then(host.close, host.close)
    return {
      /** How the consumer ended. */
      outcome: done.then(({ context: { outcome } }) => outcome),
      /** Resolves when the consumer waits at the tip of the shard. */
      tip: tip.opened,
      send: (event: ShardEvent): void => send(event),
      /** Ends the consumer as a crash does. */
      crash: (): void => {
        running.close()
        host.close()
      },
      /** The texts of the records whose positions were stored, in order. */
      stored,
      /** What callbacks failed with. */
      failures,
      effects,
    }
  }
  const name = ({ sequenceNumber, subSequenceNumber }: ExtendedSequenceNumber): string =>
    isSentinel(sequenceNumber) ? sequenceNumber : `${textAt.get(sequenceNumber)}${subSequenceNumber === 0 ? '' : `/${subSequenceNumber}`}`
  return { consume, put, end: () => void stream.split(shardId), stream }
}

/** Runs one consumer to its end. */
export async function consumeAll(
  shard: ReturnType<typeof aShard>,
  processor: RecordProcessor,
  given: Parameters<ReturnType<typeof aShard>['consume']>[1] = {},
) {
  const consumer = await shard.consume(processor, given)
  return { ...consumer, outcome: await consumer.outcome }
}

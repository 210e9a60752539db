import type { KinesisRecord } from '@shardwise/effects'
import { type CheckpointPolicy, eachBatch, eachRecord, iterate, lambdaRecords, type RecordProcessor } from '@shardwise/processor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomRuns } from '../randomRuns.ts'
import { aShard, shardId, textOf, turns } from './processorHandlersSetting.ts'

/** What happens to a shard: how each record fares, how its consumers end, and which writes fail. */
interface Plan {
  readonly records: readonly { readonly key: string; readonly failures: number; readonly turns: number; readonly asks: boolean }[]
  readonly perRead: number
  readonly concurrency: number
  readonly checkpoint: CheckpointPolicy
  readonly ends: readonly { readonly after: number; readonly how: 'crash' | 'REQUESTED' | 'LEASE_LOST' }[]
  readonly throttled: readonly boolean[]
}

const plans: fc.Arbitrary<Plan> = fc.record({
  records: fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      failures: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) }),
      turns: fc.nat({ max: 3 }),
      asks: fc.boolean(),
    }),
    { maxLength: 14, size: 'max' },
  ),
  perRead: fc.integer({ min: 1, max: 6 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  checkpoint: fc.oneof(
    fc.constantFrom<CheckpointPolicy>('afterBatch', 'manual'),
    fc.record({ everyRecords: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ everyMs: fc.integer({ min: 1, max: 5 }) }),
  ),
  ends: fc.array(
    fc.record({
      after: fc.integer({ min: 1, max: 12 }),
      how: fc.constantFrom('crash' as const, 'REQUESTED' as const, 'LEASE_LOST' as const),
    }),
    { maxLength: 3 },
  ),
  throttled: fc.array(fc.boolean(), { maxLength: 12 }),
})

/** What the handlers of one plan see and do. Facts that must hold are checked as they happen; `broken` is the first that did not. */
class Ledger {
  readonly texts: readonly string[]
  readonly succeeded = new Set<string>()
  broken: string | null = null
  clockMs = 0
  starts = 0
  onStart: () => void = () => undefined
  readonly #plan: Plan
  readonly #failures: number[]
  #running = new Set<string>()
  #own = new Set<string>()
  #generation = 0

  constructor(plan: Plan) {
    this.#plan = plan
    this.texts = plan.records.map(({ key }, n) => `${key}${n}`)
    this.#failures = plan.records.map(({ failures }) => failures)
  }

  /** A new processor begins: nothing counts any more that an earlier one does. */
  begin(): void {
    this.#generation += 1
    this.#running = new Set()
    this.#own = new Set()
    this.starts = 0
  }

  expect(holds: boolean, what: string): void {
    if (!holds) this.broken ??= what
  }

  /** A checkpoint is about to be written. */
  written(position: string): void {
    const upTo = position === 'SHARD_END' ? this.texts.length : this.texts.indexOf(position) + 1
    this.expect(upTo > 0 || this.texts.length === 0, `${position} is stored, and no record`)
    const missing = this.texts.slice(0, upTo).filter((text) => !this.succeeded.has(text))
    this.expect(missing.length === 0, `${position} is stored before ${missing.join()} succeeded`)
  }

  asks(record: KinesisRecord): boolean {
    return this.#plan.records[this.#indexOf(record)]?.asks === true
  }

  start(text: string): void {
    const before = this.texts.slice(0, this.texts.indexOf(text)).filter((other) => other.startsWith(text.charAt(0)))
    this.expect(
      before.every((other) => this.succeeded.has(other)),
      `${text} starts before ${before.join()} succeeded`,
    )
    this.expect(!this.#own.has(text), `${text} is handled again by the processor that handled it`)
    this.#running.add(text)
    this.expect(this.#running.size <= this.#plan.concurrency, `${[...this.#running].join()} run at once`)
    this.starts += 1
    this.onStart()
  }

  /** Handles a record as the plan says: takes turns, then fails or succeeds. `counts`: whether its success is known by itself. */
  async handle(record: KinesisRecord): Promise<void> {
    const generation = this.#generation
    const text = textOf(record)
    const index = this.#indexOf(record)
    this.start(text)
    await turns(this.#plan.records[index]?.turns ?? 0)
    this.clockMs += 1
    if (generation !== this.#generation) throw new Error('of an earlier processor')
    this.#running.delete(text)
    const failures = this.#failures[index] ?? 0
    if (failures > 0) {
      this.#failures[index] = failures - 1
      throw new Error(`${text} fails`)
    }
    this.succeeded.add(text)
    this.#own.add(text)
  }

  /** Forgets that this processor had these records: a failure takes them with it. */
  takeBack(records: readonly KinesisRecord[]): void {
    for (const record of records) this.#own.delete(textOf(record))
  }

  #indexOf(record: KinesisRecord): number {
    return this.texts.indexOf(textOf(record))
  }
}

type Make = (plan: Plan, ledger: Ledger) => RecordProcessor

/** The functions under test, each with a handler that does what the plan says. */
const makers: Readonly<Record<string, Make>> = {
  eachRecord: ({ checkpoint, concurrency }, ledger) =>
    eachRecord(
      (record, context) => {
        if (ledger.asks(record)) context.checkpoint(record)
        return ledger.handle(record)
      },
      { checkpoint, concurrency, nowMs: () => ledger.clockMs },
    )(shardId),
  iterate: ({ checkpoint }, ledger) =>
    iterate(
      async (records, context) => {
        let taken = 0
        for await (const record of records) {
          await ledger.handle(record)
          if (checkpoint === 'manual' && ledger.asks(record)) {
            await context.checkpoint(record).catch((error: unknown) => {
              // It fails with the record in hand, which comes again.
              ledger.takeBack([record])
              throw error
            })
          }
          taken += 1
          if (taken === 5) break
        }
      },
      { checkpoint, nowMs: () => ledger.clockMs },
    )(shardId),
  eachBatch: ({ checkpoint }, ledger) =>
    eachBatch(
      async (records, context) => {
        let done: KinesisRecord | undefined
        try {
          for (const record of records) {
            await ledger.handle(record)
            done = record
          }
        } catch (error) {
          ledger.takeBack(records)
          // Says how far it came, as a handler may.
          if (done !== undefined && ledger.asks(done)) await context.checkpoint(done).catch(() => undefined)
          throw error
        }
      },
      { checkpoint, nowMs: () => ledger.clockMs },
    )(shardId),
  lambdaRecords: ({ checkpoint, perRead }, ledger) =>
    lambdaRecords(
      async (event) => {
        for (const { kinesis } of event.Records) {
          const data = Buffer.from(kinesis.data, 'base64')
          const record = { ...kinesis, data, subSequenceNumber: 0, approximateArrivalTimestamp: undefined }
          try {
            await ledger.handle(record)
          } catch {
            return { batchItemFailures: [{ itemIdentifier: kinesis.sequenceNumber }] }
          }
        }
        return undefined
      },
      {
        checkpoint,
        nowMs: () => ledger.clockMs,
        batchSize: Math.max(1, perRead - 2),
        eventSourceARN: 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders',
      },
    )(shardId),
}

/** Consumes a shard through all that the plan says; answers the first fact that did not hold, or null. */
async function liveThrough(plan: Plan, make: Make): Promise<string | null> {
  const ledger = new Ledger(plan)
  const shard = aShard(ledger.texts, { perRead: plan.perRead })
  const throttled = [...plan.throttled]
  const ends = [...plan.ends, null]
  for (const end of ends) {
    ledger.begin()
    let endNow: () => void = () => undefined
    const ended = new Promise<void>((resolve) => {
      ledger.onStart = () => {
        if (end !== null && ledger.starts === end.after) queueMicrotask(() => endNow())
      }
      endNow = resolve
    })
    const consumer = await shard.consume(make(plan, ledger), {
      writeFault: () => (throttled.shift() === true ? 'throttled' : null),
      onWrite: (position) => ledger.written(position),
    })
    if (end !== null) {
      void ended.then(() => (end.how === 'crash' ? consumer.crash() : consumer.send({ type: 'shutdown', reason: end.how })))
    }
    const outcome = await Promise.race([consumer.outcome, ...(end?.how === 'crash' ? [ended] : [])])
    if (ledger.broken !== null) return ledger.broken
    if (outcome === 'finished') break
    if (outcome === 'replay') ends.push(null)
    await turns(5)
  }
  ledger.expect(
    ledger.texts.every((text) => ledger.succeeded.has(text)),
    'a record was never handled',
  )
  return ledger.broken
}

describe('whatever fails, is slow, or ends a consumer', () => {
  it.each(Object.keys(makers))(
    '%s checkpoints nothing before its handler succeeded, keeps the order of a key, and handles every record, none twice in one processor',
    async (name) => {
      const make = makers[name] as Make
      await fc.assert(
        fc.asyncProperty(plans, async (plan) => {
          const limits = name === 'eachRecord' ? plan : { ...plan, concurrency: 1 }
          expect(await liveThrough(limits, make)).toBeNull()
        }),
        { numRuns: randomRuns(100) },
      )
    },
    120_000,
  )
})

import type { Observation, Observer } from '@shardwise/machine/host'

type Attributes = Readonly<Record<string, string>>
type Description = { readonly description: string; readonly unit: string }

/** What is used of a meter of `@opentelemetry/api`, so that nothing of it has to be installed. */
export interface Meter {
  createCounter(name: string, options: Description): { add(value: number, attributes: Attributes): void }
  createHistogram(name: string, options: Description): { record(value: number, attributes: Attributes): void }
  createObservableGauge(
    name: string,
    options: Description,
  ): { addCallback(report: (result: { observe(value: number, attributes: Attributes): void }) => void): void }
}

/** What is measured, and by which clock. */
export interface MeterOptions {
  /** Such as `metrics.getMeter('shardwise')` of `@opentelemetry/api`. */
  readonly meter: Meter
  /** Monotonic milliseconds; the platform's unless given. */
  readonly nowMs?: () => number
}

/** The effects whose time is measured, and the KCL's name for it. */
const timed: Readonly<Record<string, string>> = {
  readRecords: 'KinesisDataFetcher.getRecords.Time',
  processRecords: 'RecordProcessor.processRecords.Time',
  initialize: 'RecordProcessor.initialize.Time',
  writeCheckpoint: 'Checkpoint.Time',
}

interface Started {
  readonly type: string
  readonly sinceMs: number
}

/**
 * An observer that measures a worker with a meter of OpenTelemetry, under the names of the KCL's metrics where it has them: what was processed, how far behind
 * the tip it was, how long calls and callbacks took, which leases are held and lost. The attribute `ShardId` tells the shards apart.
 */
export function observeWithMeter({ meter, nowMs = () => performance.now() }: MeterOptions): Observer {
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description })
  const records = counter('RecordsProcessed', '{record}', 'Records in batches that the record processor completed')
  const bytes = counter('DataBytesProcessed', 'By', 'Bytes of the payloads in batches that the record processor completed')
  const failures = counter('Failures', '{failure}', 'Answers that say that something failed, was throttled or has to be done again')
  const renewals = counter('RenewLease.Success', '{renewal}', 'Leases renewed')
  const lost = counter('LostLeases', '{lease}', 'Leases whose renewal or release was refused: another worker has them')
  const times = new Map(
    Object.entries(timed).map(([type, name]) => [type, meter.createHistogram(name, { unit: 'ms', description: `Time of ${type}` })]),
  )
  const held = new Set<string>()
  const behind = new Map<string, number>()
  meter
    .createObservableGauge('CurrentLeases', { unit: '{lease}', description: 'Leases that the worker holds' })
    .addCallback((result) => result.observe(held.size, {}))
  meter
    .createObservableGauge('MillisBehindLatest', { unit: 'ms', description: 'How far the last read was behind the tip of the shard' })
    .addCallback((result) => {
      for (const [shardId, ms] of behind) result.observe(ms, { ShardId: shardId })
    })

  /** Effects that are out, by shard and id. */
  const started = new Map<string, Map<number, Started>>()
  const measureShard = ({ shardId, step }: Extract<Observation, { machine: 'shardConsumer' }>): void => {
    const { event, before, after, effects } = step
    const of = { ShardId: shardId }
    const out = started.get(shardId) ?? new Map<number, Started>()
    started.set(shardId, out)
    for (const effect of effects) if ('id' in effect && times.has(effect.type)) out.set(effect.id, { type: effect.type, sinceMs: nowMs() })
    if (event !== null && 'id' in event) {
      const begun = out.get(event.id)
      if (begun !== undefined) times.get(begun.type)?.record(nowMs() - begun.sinceMs, of)
      out.delete(event.id)
    }
    if (before !== null && before !== after && event !== null) {
      const { batch } = before.context
      if (event.type === 'recordsProcessed' && batch !== null) {
        records.add(batch.count, of)
        bytes.add(batch.bytes, of)
      }
      if (event.type === 'recordsRead' && event.batch.millisBehindLatest !== null) behind.set(shardId, event.batch.millisBehindLatest)
      if ('error' in event || remarkable.has(event.type)) failures.add(1, { ...of, Answer: event.type })
    }
    if (after.status === 'done') {
      started.delete(shardId)
      behind.delete(shardId)
    }
  }
  return (observation) => {
    if (observation.machine === 'shardConsumer') measureShard(observation)
    else if (observation.machine === 'leaseKeeper') {
      const { leaseKey, step } = observation
      const of = { ShardId: leaseKey }
      if (step.after.phase === 'gone') held.delete(leaseKey)
      else held.add(leaseKey)
      if (step.before === step.after) return
      if (step.event?.type === 'leaseRenewed') renewals.add(1, of)
      if (step.event?.type === 'leaseRefused' || step.event?.type === 'leaseLost') lost.add(1, of)
    }
  }
}

/** Expected outcomes that operators count all the same. */
const remarkable: ReadonlySet<string> = new Set([
  'throttled',
  'iteratorExpired',
  'checkpointRefused',
  'leaseNotFound',
  'batchGone',
  'processorGone',
  'siblingLeaseMissing',
])

import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import type { BatchHandle } from '@shardwise/effects'
import { replay, type ShardEvent } from '@shardwise/machine'
import { observeWithMeter } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { aDiary, aWatch, aWorker, aWorld, deliveredCount, put, texts } from './workerSetting.ts'

const shardId = 'shardId-000000000000'
const place = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })
const batch: BatchHandle = {
  batchId: 'b1',
  count: 3,
  first: place('1'),
  last: place('3'),
  bytes: 120,
  millisBehindLatest: 250,
  atShardEnd: false,
  childShards: [],
}

/** A meter of the OpenTelemetry SDK, and what it has measured: by name, the value of each data point. */
function aMeter() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 })
  const provider = new MeterProvider({ readers: [reader] })
  return {
    meter: provider.getMeter('shardwise'),
    async measured(): Promise<Readonly<Record<string, readonly unknown[]>>> {
      exporter.reset()
      await reader.forceFlush()
      const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      const points = metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => [attributes, typeof value === 'object' ? { count: value.count, sum: value.sum } : value]),
      ])
      await provider.shutdown()
      return Object.fromEntries(points) as Readonly<Record<string, readonly unknown[]>>
    },
  }
}

describe('the metrics of a worker', () => {
  it('say what a shard processed, how far behind it was, how long calls took, and what failed', async () => {
    const { meter, measured } = aMeter()
    let clockMs = 0
    const observe = observeWithMeter({ meter, nowMs: () => clockMs })
    const events: readonly (ShardEvent & { readonly afterMs?: number })[] = [
      { type: 'parentShardsCompleted', id: 1 },
      { type: 'checkpointRead', id: 2, checkpoint: place('TRIM_HORIZON'), pendingCheckpoint: null },
      { type: 'shardOpened', id: 3, openedAtMs: 0 },
      { type: 'initialized', id: 4, afterMs: 5 },
      { type: 'recordsRead', id: 5, batch, afterMs: 20 },
      { type: 'recordsFailed', id: 6, error: { name: 'Error', message: 'no' }, afterMs: 30 },
      { type: 'timerFired', id: 7, nowMs: 0, afterMs: 500 },
      { type: 'recordsProcessed', id: 8, afterMs: 40 },
      // Too late: it counts for nothing.
      { type: 'recordsProcessed', id: 8 },
      { type: 'throttled', id: 9 },
    ]
    const steps = replay({ shardId, token: 1 }, events)
    for (const [index, [after, effects]] of steps.entries()) {
      const event = events[index - 1] ?? null
      clockMs += event?.afterMs ?? 0
      observe({ machine: 'shardConsumer', shardId, step: { event, before: steps[index - 1]?.[0] ?? null, after, effects } })
    }

    const of = { ShardId: shardId }
    expect(await measured()).toEqual({
      RecordsProcessed: [[of, 3]],
      DataBytesProcessed: [[of, 120]],
      MillisBehindLatest: [[of, 250]],
      CurrentLeases: [[{}, 0]],
      Failures: [
        [{ ...of, Answer: 'recordsFailed' }, 1],
        [{ ...of, Answer: 'throttled' }, 1],
      ],
      'RecordProcessor.initialize.Time': [[of, { count: 1, sum: 5 }]],
      'KinesisDataFetcher.getRecords.Time': [[of, { count: 2, sum: 20 }]],
      'RecordProcessor.processRecords.Time': [[of, { count: 2, sum: 70 }]],
    })
  })

  it('count every record of a stream once, and the leases that are held', async () => {
    const world = aWorld(2)
    put(world.stream, texts('text', 20))
    const { meter, measured } = aMeter()
    const diary = aDiary()
    const watch = aWatch()
    const observe = observeWithMeter({ meter })
    const worker = aWorker(world, {
      processor: diary.processor,
      observe(observation) {
        observe(observation)
        watch.observe(observation)
      },
    })
    const all = watch.until('all are delivered', deliveredCount(diary, 20))
    const run = worker.run()
    await all
    const { RecordsProcessed = [], CurrentLeases } = await measured()

    expect((RecordsProcessed as readonly [object, number][]).reduce((sum, [, count]) => sum + count, 0)).toBe(20)
    expect(CurrentLeases).toEqual([[{}, 2]])
    await worker.stop()
    await run
  })
})

import type { BatchHandle } from '@shardwise/effects'
import { replay, type ShardEvent } from '@shardwise/machine'
import type { ShardHealth, Worker } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { type HealthRecord, recordHealth } from '../../src/worker/health.ts'
import { aDiary, aLogger, aWatch, aWorker, aWorld, put } from './workerSetting.ts'

const shardId = 'shardId-000000000000'
const place = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })
const batch = (count: number, millisBehindLatest = 0): BatchHandle => ({
  batchId: 'b1',
  count,
  first: count === 0 ? null : place('1'),
  last: count === 0 ? null : place(String(count)),
  bytes: count,
  millisBehindLatest,
  atShardEnd: false,
  childShards: [],
})
const untilReading: readonly ShardEvent[] = [
  { type: 'parentShardsCompleted', id: 1 },
  { type: 'checkpointRead', id: 2, checkpoint: place('TRIM_HORIZON'), pendingCheckpoint: null },
  { type: 'shardOpened', id: 3, openedAtMs: 0 },
  { type: 'initialized', id: 4 },
]

/** A record of health whose clock is set by hand, and a consumer that lives through events at the times given. */
function aRecord() {
  let clockMs = 0
  const record: HealthRecord = recordHealth({ workerId: 'w1', stuckAfterMillis: 1_000, nowMs: () => clockMs })
  return {
    record,
    at(ms: number): HealthRecord {
      clockMs = ms
      return record
    },
    live(events: readonly (ShardEvent & { readonly atMs?: number })[]): void {
      const steps = replay({ shardId, token: 7 }, events)
      for (const [index, [after, effects]] of steps.entries()) {
        const event = events[index - 1] ?? null
        clockMs = event?.atMs ?? clockMs
        record.observe({ machine: 'shardConsumer', shardId, step: { event, before: steps[index - 1]?.[0] ?? null, after, effects } })
      }
    },
  }
}

describe('the health of a shard', () => {
  it('names its place, what it waits for and how long, how far behind it is, and its attempts', () => {
    const { live, at } = aRecord()
    live([...untilReading, { type: 'recordsRead', id: 5, batch: batch(3, 250), atMs: 100 }])

    expect(at(400).health().shards).toEqual([
      {
        shardId,
        leaseKey: shardId,
        owner: 'w1',
        state: 'PROCESSING',
        place: 'PROCESSING.processing',
        sinceProgressMs: 400,
        pending: { effect: 'processRecords', id: 6, forMs: 300 },
        millisBehindLatest: 250,
        attempts: 0,
        sinceRenewalMs: null,
        isStuck: false,
        isPaused: false,
      },
    ])
  })

  it('counts a completed batch, an empty read and a stored checkpoint as progress', () => {
    const { live, at } = aRecord()
    live([...untilReading, { type: 'recordsRead', id: 5, batch: batch(3, 250), atMs: 100 }, { type: 'recordsProcessed', id: 6, atMs: 200 }])
    expect(at(500).health().shards[0]?.sinceProgressMs).toBe(300)

    const idle = aRecord()
    idle.live([...untilReading, { type: 'recordsRead', id: 5, batch: batch(0), atMs: 450 }])
    expect(idle.at(500).health().shards[0]?.sinceProgressMs).toBe(50)

    const storing = aRecord()
    storing.live([
      ...untilReading,
      { type: 'recordsRead', id: 5, batch: batch(3), atMs: 100 },
      { type: 'checkpointRequested', request: 'r1', position: null },
      { type: 'checkpointWritten', id: 7, atMs: 480 },
    ])
    expect(storing.at(500).health().shards[0]?.sinceProgressMs).toBe(20)
  })

  it('is stuck when a batch fails again and again for longer than the stuck time', () => {
    const { live, at } = aRecord()
    const failure = { error: { name: 'Error', message: 'no' } }
    live([
      ...untilReading,
      { type: 'recordsRead', id: 5, batch: batch(3), atMs: 0 },
      { type: 'recordsFailed', id: 6, ...failure, atMs: 100 },
      { type: 'timerFired', id: 7, nowMs: 600, atMs: 600 },
      { type: 'recordsFailed', id: 8, ...failure, atMs: 700 },
    ])

    expect(at(1_000).health()).toMatchObject({ isLive: true, shards: [{ isStuck: false, attempts: 2 }] })
    expect(at(1_001).health()).toMatchObject({
      isLive: false,
      shards: [{ isStuck: true, place: 'PROCESSING.backingOff', pending: { effect: 'startTimer', forMs: 301 } }],
    })
  })

  it('is paused and not stuck for as long as its batch is held, and the time of the pause does not count when it is resumed', () => {
    const { live, at, record } = aRecord()
    const events = [...untilReading, { type: 'pause', atMs: 50 }, { type: 'recordsRead', id: 5, batch: batch(3, 250), atMs: 100 }] as const
    live(events)
    expect(at(9_000).health()).toMatchObject({
      isLive: true,
      shards: [{ isPaused: true, isStuck: false, place: 'PROCESSING.holding', pending: null, sinceProgressMs: 50 }],
    })

    const steps = replay({ shardId, token: 7 }, [...events, { type: 'resume' }])
    const [[before], [after, effects]] = steps.slice(-2) as [(typeof steps)[number], (typeof steps)[number]]
    record.observe({ machine: 'shardConsumer', shardId, step: { event: { type: 'resume' }, before, after, effects } })
    expect(at(9_900).health().shards).toMatchObject([{ isPaused: false, isStuck: false, sinceProgressMs: 950 }])
    expect(at(9_951).health().shards).toMatchObject([{ isPaused: false, isStuck: true, pending: { effect: 'processRecords' } }])
  })

  it('counts what goes well during a pause, and the time before it', () => {
    const { live, at } = aRecord()
    live([
      ...untilReading,
      { type: 'recordsRead', id: 5, batch: batch(3, 250), atMs: 100 },
      { type: 'pause', atMs: 300 },
      { type: 'recordsProcessed', id: 6, atMs: 500 },
    ])
    expect(at(9_000).health().shards[0]?.sinceProgressMs).toBe(0)

    const failing = aRecord()
    failing.live([
      ...untilReading,
      { type: 'recordsRead', id: 5, batch: batch(3, 250), atMs: 100 },
      { type: 'pause', atMs: 900 },
      { type: 'resume', atMs: 5_000 },
      { type: 'pause', atMs: 5_101 },
      { type: 'resume', atMs: 9_000 },
    ])
    expect(failing.at(9_000).health().shards).toMatchObject([{ sinceProgressMs: 1_001, isStuck: true }])
  })

  it('is not paused any more once it is to stop', () => {
    const { live, at } = aRecord()
    live([...untilReading, { type: 'pause' }, { type: 'shutdown', reason: 'REQUESTED', atMs: 100 }])

    expect(at(1_101).health().shards).toMatchObject([{ isPaused: false, isStuck: true, state: 'SHUTDOWN_REQUESTED' }])
  })

  it('is stuck when consumers follow one another on a lease without completing anything', () => {
    const { live, at } = aRecord()
    for (const startMs of [0, 600]) {
      live([
        ...untilReading,
        { type: 'recordsRead', id: 5, batch: batch(3), atMs: startMs + 100 },
        { type: 'processorGone', id: 6, atMs: startMs + 200 },
        { type: 'shardClosed', id: 7, atMs: startMs + 300 },
      ])
    }

    expect(at(1_001).health()).toMatchObject({ isLive: false, shards: [{ state: 'SHUTDOWN_COMPLETE', isStuck: true, pending: null }] })
  })
})

describe('the health of a worker', () => {
  it('is ready while it runs, and knows its shards until their leases are given up', async () => {
    const watch = aWatch()
    const worker: Worker = aWorker(aWorld(2), { workerId: 'w1', processor: aDiary().processor, observe: watch.observe })
    expect(worker.health()).toMatchObject({ workerId: 'w1', phase: 'starting', isReady: false, isLive: true, shards: [] })

    const isProcessing = ({ state }: { readonly state: string }): boolean => state === 'PROCESSING'
    const reading = watch.until('both shards are read', () => worker.health().shards.filter(isProcessing).length === 2)
    const run = worker.run()
    await reading
    expect(worker.health()).toMatchObject({ phase: 'running', isReady: true, isLive: true })
    expect(worker.health().shards.every(({ owner, sinceRenewalMs }) => owner === 'w1' && sinceRenewalMs !== null)).toBe(true)

    await worker.stop()
    await run
    expect(worker.health()).toMatchObject({ phase: 'stopped', isReady: false, isLive: true, shards: [] })
  })

  it('tells of a shard that is stuck, once, in the log and to onStuck', async () => {
    const world = aWorld()
    put(world.stream, ['a'])
    const logger = aLogger()
    const { blocked, release } = aBlockedProcessor()
    const stuck: ShardHealth[] = []
    const worker = aWorker(world, {
      stuckAfterMillis: 20,
      logger,
      processor: blocked,
      onStuck(shard) {
        stuck.push(shard)
        release()
        void worker.stop()
      },
    })
    await worker.run()

    expect(stuck).toMatchObject([{ shardId, place: 'PROCESSING.processing', pending: { effect: 'processRecords' }, isStuck: true }])
    expect(logger.lines.filter((line) => line.includes('stuck'))).toEqual([
      expect.stringMatching(
        /^error shardId-000000000000: stuck in PROCESSING\.processing: no progress for \d+ s, waiting for processRecords #\d+ for \d+ s, 0 failures in a row$/,
      ),
    ])
  })

  it('ends, with its leases given up, when onStuck throws', async () => {
    const world = aWorld()
    put(world.stream, ['a'])
    const { blocked, release } = aBlockedProcessor()
    const worker = aWorker(world, {
      stuckAfterMillis: 20,
      processor: blocked,
      onStuck() {
        release()
        throw new Error('no such pager')
      },
    })

    await expect(worker.run()).rejects.toThrow('no such pager')
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null])
  })

  it('refuses a stuck time within the waits of a shard', () => {
    const make = (): unknown => aWorker(aWorld(), { idleTimeInMilliseconds: 50, stuckAfterMillis: 50, processor: aDiary().processor })

    expect(make).toThrow('stuckAfterMillis: expected more than the longest wait of a shard, 50, got 50')
  })
})

/** Processors whose first batch takes until `release` is called. */
function aBlockedProcessor() {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const { processor } = aDiary()
  const blocked: typeof processor = (id) => ({ ...processor(id), processRecords: () => released })
  return { blocked, release: () => release() }
}

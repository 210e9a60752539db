import { eachBatch, eachRecord, type Worker } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { aDiary, aWatch, aWorker, aWorld, consumerHeard, put, textOf, texts, type World } from './workerSetting.ts'

const s0 = 'shardId-000000000000'
const many = texts('order', 10_000)
const poison = 'order-7310'

/** Runs until so many texts were handled, then stops in order. */
async function untilHandled(worker: Worker, isDone: Promise<void>): Promise<void> {
  const running = worker.run()
  await isDone
  await worker.stop()
  await running
}

const storedNumber = (world: World): string => world.table.rows()[0]?.checkpoint.sequenceNumber ?? ''

describe('a poison record among 10,000', () => {
  it('goes to the dead letter after its attempts, and nothing else is lost, reordered, or delivered more often than the policy says', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const handled: string[] = []
    const deliveries: number[] = []
    const letters: { texts: readonly string[]; attempts: number; error: string; storedBefore: string }[] = []
    put(world.stream, many)
    const worker = aWorker(world, {
      observe: watch.observe,
      maxRecords: 1_000,
      maxDeliveryAttempts: 3,
      bisectBatchOnError: true,
      processor: eachBatch((records) => {
        const batch = records.map(textOf)
        deliveries.push(batch.length)
        if (batch.includes(poison)) throw new TypeError('cannot be read')
        handled.push(...batch)
      }),
      deadLetter({ records, attempts, error }) {
        letters.push({ texts: records.map(textOf), attempts, error: error.name, storedBefore: storedNumber(world) })
        if (letters.length < 3) throw new Error('the queue is down')
      },
    })
    await untilHandled(
      worker,
      watch.until('all records', () => handled.length === many.length - 1),
    )

    expect(handled).toEqual(many.filter((text) => text !== poison))
    expect(letters.map(({ texts: of, attempts, error }) => ({ texts: of, attempts, error }))).toEqual(
      [1, 2, 3].map(() => ({ texts: [poison], attempts: 3, error: 'TypeError' })),
    )
    // Ten reads, three deliveries of the batch with the record at fault, at most eleven parts, two more of the lone one, and what was left.
    expect(deliveries.length).toBeLessThanOrEqual(10 + 2 + 11 + 2 + 1)
    expect(new Set(letters.map(({ storedBefore }) => storedBefore)).size).toBe(1)
    expect(BigInt(storedNumber(world)) > BigInt(letters[0]?.storedBefore ?? '0')).toBe(true)
  })

  it('stops its shard where nothing else is said, with the checkpoint before it, and no worker of the process takes the shard again', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const handled: string[] = []
    put(world.stream, texts('order', 10))
    const worker = aWorker(world, {
      observe: watch.observe,
      maxDeliveryAttempts: 2,
      processor: eachRecord((record) => {
        if (textOf(record) === 'order-6') throw new TypeError('cannot be read')
        handled.push(textOf(record))
      }),
    })
    let listings = 0
    await untilHandled(
      worker,
      watch.until('the shard was given up, and the leases looked at twice again', ({ machine, step }) => {
        if (machine === 'coordinator' && step.event?.type === 'leasesListed' && world.table.rows()[0]?.leaseOwner === null) listings += 1
        return listings > 2 && handled.length > 0
      }),
    )

    expect(handled).toEqual(texts('order', 6))
    expect(world.table.rows()).toMatchObject([{ leaseOwner: null, ownerSwitchesSinceCheckpoint: 0 }])
  })

  it('is skipped where that is said, and the records around it are handled', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const handled: string[] = []
    put(world.stream, texts('order', 10))
    const worker = aWorker(world, {
      observe: watch.observe,
      maxDeliveryAttempts: 1,
      bisectBatchOnError: true,
      onDeliveryFailure: 'skip',
      processor: eachRecord((record) => {
        if (textOf(record) === 'order-6') throw new TypeError('cannot be read')
        handled.push(textOf(record))
      }),
    })
    await untilHandled(
      worker,
      watch.until('all records', () => handled.length === 9),
    )

    expect(handled).toEqual(texts('order', 10).filter((text) => text !== 'order-6'))
  })

  it('fails the worker where that is said: other shards end in order, and the run rejects with the place, the attempts and the error', async () => {
    const [world, watch, diary] = [aWorld(2), aWatch(), aDiary()]
    put(world.stream, texts('order', 20))
    const ready = watch.until('both shards are consumed', consumerHeard('initialized', 'shardId-000000000001'))
    let letGo = (): void => undefined
    const both = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const worker = aWorker(world, {
      observe: watch.observe,
      maxDeliveryAttempts: 2,
      onDeliveryFailure: 'fail',
      processor: (shardId) => ({
        ...diary.processor(shardId),
        async processRecords(input) {
          if (shardId !== s0) return diary.processor(shardId).processRecords(input)
          await both
          throw new TypeError('cannot be read')
        },
      }),
    })
    const running = worker.run()
    await ready
    letGo()

    await expect(running).rejects.toMatchObject({
      name: 'DeliveryFailedError',
      message: expect.stringMatching(
        /^shardId-000000000000: the records from \d+\/0 to \d+\/0 failed in attempt 2 with TypeError: cannot be read$/,
      ),
    })
    expect(diary.lines).toContain(`${s0} leaseLost`)
    expect(diary.lines).toContain('shardId-000000000001 shutdownRequested')
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
  })
})

describe('a dead letter', () => {
  it('goes to the function of the handler rather than to that of the worker, and its record is checkpointed', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const taken: string[] = []
    put(world.stream, ['order-0'])
    const worker = aWorker(world, {
      observe: watch.observe,
      maxDeliveryAttempts: 1,
      deadLetter: () => void taken.push('worker'),
      processor: eachRecord(
        () => {
          throw new TypeError('cannot be read')
        },
        { deadLetter: () => void taken.push('handler') },
      ),
    })
    await untilHandled(worker, watch.until('the letter', consumerHeard('deadLetterDelivered')))

    expect(taken).toEqual(['handler'])
    expect(world.table.rows()[0]?.checkpoint.sequenceNumber).toMatch(/^\d+$/)
  })

  it('without a limit that leads to it is refused: that of the worker at once, that of a handler when its shard starts', async () => {
    const taker = (): undefined => undefined
    const expected = 'deadLetter: expected with maxDeliveryAttempts or maxDeliveryAgeMillis, got neither'

    expect(() => aWorker(aWorld(), { processor: eachBatch(taker), deadLetter: taker })).toThrow(expected)
    await expect(aWorker(aWorld(), { processor: eachBatch(taker, { deadLetter: taker }) }).run()).rejects.toThrow(expected)
  })

  it('is refused for a processor that is hosted elsewhere', async () => {
    const hosted = { version: 'hosted', host: () => Promise.reject(new Error('not to be called')) } as never
    const worker = aWorker(aWorld(), { processor: () => hosted, maxDeliveryAttempts: 1, deadLetter: () => undefined })

    await expect(worker.run()).rejects.toThrow('deadLetter: expected a record processor of this process, got one that is hosted elsewhere')
  })
})

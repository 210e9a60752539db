import { childProcessors } from '@shardwise/multilang'
import { Worker, type WorkerOptions } from 'shardwise'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aLogger, aWatch, aWorld, put, quick, texts, type World } from '../worker/workerSetting.ts'
import { aLedger, answer, type Ledger, scripted, textsIn, toldIn } from './multilang/setting.ts'

let ledger: Ledger
beforeEach(() => {
  ledger = aLedger()
})
afterEach(() => ledger.remove())

/** A child that notes the records of each batch and checkpoints it, and dies of the record `poison`. */
function dyingOfPoison(): readonly string[] {
  const note = `const note = (line) => require('fs').appendFileSync(${JSON.stringify(ledger.file)}, JSON.stringify(line) + '\\n')`
  const handle =
    "const given = message.records.map(({ data }) => Buffer.from(data, 'base64').toString());" +
    " if (given.includes('poison')) { note({ told: 'poison' }); process.exit(3) }" +
    ' for (const text of given) note({ text }); checkpoint()'
  return scripted(
    `${note}; if (message.action === 'processRecords') { ${handle} } else if (message.action === 'checkpoint') done('processRecords'); else ${answer}`,
  )
}

function aHost(world: World, options: Partial<WorkerOptions>, command = dyingOfPoison()) {
  const watch = aWatch()
  const logger = aLogger()
  const processor = childProcessors({ command, logger })
  const worker = new Worker({ ...quick, maxRecords: 8, adapters: world.adapters(), processor, logger, observe: watch.observe, ...options })
  return { worker, watch, logger }
}

const before = texts('order', 11)
const after = texts('later', 9)

describe('a record of which every child dies', () => {
  it('is found and skipped where that is said, and all others are handled once and in their order', async () => {
    const world = aWorld()
    const { worker, watch } = aHost(world, { maxDeliveryAttempts: 2, bisectBatchOnError: true, onDeliveryFailure: 'skip' })
    put(world.stream, [...before, 'poison', ...after])

    const done = watch.until('every other record', () => textsIn(ledger.notes()).length === before.length + after.length)
    const run = worker.run()
    await done
    await worker.stop()
    await run

    expect(textsIn(ledger.notes())).toEqual([...before, ...after])
    // Two deliveries of its batch of eight, at most three of the halves, and one more of it alone.
    expect(toldIn(ledger.notes()).length).toBeLessThanOrEqual(2 + 3 + 1)
  })

  it('stops its shard where nothing else is said, with the checkpoint before its batch', async () => {
    const world = aWorld()
    const { worker, watch } = aHost(world, { maxDeliveryAttempts: 3 })
    const numbers = [...before, 'poison', ...after].map(
      (text) => world.stream.put({ partitionKey: text, data: Buffer.from(text) }).sequenceNumber,
    )

    const stopped = watch.until(
      'the end of the shard',
      ({ machine, step }) => machine === 'shardConsumer' && 'outcome' in step.after.context && step.after.context.outcome === 'stopped',
    )
    const run = worker.run()
    await stopped
    await worker.stop()
    await run

    expect(textsIn(ledger.notes())).toEqual(before.slice(0, 8))
    expect(toldIn(ledger.notes())).toHaveLength(3)
    expect(world.table.rows()).toMatchObject([{ leaseOwner: null, checkpoint: { sequenceNumber: numbers[7] } }])
  })

  it('fails the worker where that is said, with what became of the child', async () => {
    const world = aWorld()
    const { worker } = aHost(world, { maxDeliveryAttempts: 1, onDeliveryFailure: 'fail' })
    put(world.stream, ['poison'])

    await expect(worker.run()).rejects.toThrow(
      /^shardId-000000000000: the records from .* failed in attempt 1 with ChildProcessError: the child process failed during processRecords: .*: exit code 3$/,
    )
  })
})

describe('a record of which a child dies that does not checkpoint', () => {
  it('counts for nothing: all since the last checkpoint is delivered again, and the log says so', async () => {
    const world = aWorld()
    const handle =
      "const given = message.records.map(({ data }) => Buffer.from(data, 'base64').toString());" +
      ` if (given.includes('poison') && !require('fs').readFileSync(${JSON.stringify(ledger.file)}, 'utf8').includes('poison')) { note({ told: 'poison' }); process.exit(3) }` +
      ' for (const text of given) note({ text })'
    const note = `const note = (line) => require('fs').appendFileSync(${JSON.stringify(ledger.file)}, JSON.stringify(line) + '\\n')`
    const command = scripted(`${note}; if (message.action === 'processRecords') { ${handle} } ${answer}`)
    const { worker, watch, logger } = aHost(world, { maxDeliveryAttempts: 1 }, command)
    put(world.stream, [...before, 'poison', ...after])

    const done = watch.until('every record', () => textsIn(ledger.notes()).at(-1) === after.at(-1))
    const run = worker.run()
    await done
    await worker.stop()
    await run

    expect(textsIn(ledger.notes())).toEqual([...before.slice(0, 8), ...before, 'poison', ...after])
    expect(logger.lines.filter((line) => line.includes('the failed delivery does not count'))).toHaveLength(1)
  })
})

describe('a worker of child processes', () => {
  it('takes no dead letter, and says so before anything is started', () => {
    expect(() => aHost(aWorld(), { maxDeliveryAttempts: 1, deadLetter: () => undefined })).toThrow(
      'deadLetter: expected a record processor of this process, got one that is hosted elsewhere',
    )
  })
})

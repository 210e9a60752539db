import { childProcessors } from '@shardwise/multilang'
import { Worker } from 'shardwise'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aLogger, aWatch, aWorld, consumerHeard, put, quick, texts, type World } from '../worker/workerSetting.ts'
import { neverAborted } from './handlerContext.ts'
import { aLedger, answer, awsKcl, isAlive, type Ledger, type Note, python, scripted, textsIn, toldIn } from './multilang/setting.ts'

let ledger: Ledger
beforeEach(() => {
  ledger = aLedger()
})
afterEach(() => ledger.remove())

/** A worker of child processes in a world in memory, with what it logs and what can be waited for. */
function aHost(world: World, command: readonly string[], maxRecords = 5) {
  const watch = aWatch()
  const logger = aLogger()
  const worker = new Worker({
    ...quick,
    maxRecords,
    adapters: world.adapters(),
    processor: childProcessors({ command, logger }),
    logger,
    observe: watch.observe,
  })
  /** Resolves when a batch or a shard is done, and the ledger is as asked. */
  const until = (what: string, holds: (notes: readonly Note[]) => boolean): Promise<void> =>
    watch.until(
      what,
      (observation) =>
        (consumerHeard('recordsProcessed')(observation) || consumerHeard('initialized')(observation)) && holds(ledger.notes()),
    )
  return { worker, watch, logger, until }
}

const pidsIn = (notes: readonly Note[], shardId?: string): readonly number[] => [
  ...new Set(notes.flatMap((note) => (note.pid === undefined || (shardId !== undefined && note.shardId !== shardId) ? [] : [note.pid]))),
]
const deliveredAll =
  (expected: readonly string[]) =>
  (notes: readonly Note[]): boolean => {
    const delivered = new Set(textsIn(notes))
    return expected.every((text) => delivered.has(text))
  }

async function storedIn(world: World): Promise<string | undefined> {
  const listed = await world.table.store().listLeases({ type: 'listLeases', id: 1 }, neverAborted)
  return listed.type === 'leasesListed' ? listed.leases[0]?.checkpoint.sequenceNumber : undefined
}

const kinds = [
  ['written for aws-kcl', (file: string) => awsKcl(2, file), ['shardEnded', 'shutdownRequested', 'leaseLost']],
  ['written for aws-kcl, of the older version,', (file: string) => awsKcl(1, file), ['shutdown TERMINATE', 'shutdown ZOMBIE']],
  ['in Python, of version 1,', (file: string) => python(1, file), ['shutdown TERMINATE', 'shutdownRequested', 'shutdown ZOMBIE']],
  ['in Python, of version 2,', (file: string) => python(2, file), ['shutdown TERMINATE', 'shutdownRequested', 'shutdown ZOMBIE']],
  ['in Python, of version 3,', (file: string) => python(3, file), ['shardEnded', 'shutdownRequested', 'leaseLost']],
] as const

describe.each(kinds)('a record processor %s run by a worker', (_, command, ends) => {
  it('gets every record once across a split and a stop in order, and leaves no process behind', async () => {
    const world = aWorld(1)
    const [before, after] = [texts('before', 20), texts('after', 20)]
    const { worker, until, logger } = aHost(world, command(ledger.file))
    put(world.stream, before)

    const first = until('the records before the split', deliveredAll(before))
    const run = worker.run()
    await first
    const parent = 'shardId-000000000000'
    const second = until('the records after the split', deliveredAll(after))
    world.stream.split(parent)
    put(world.stream, after)
    await second
    await worker.stop()
    await run

    const notes = ledger.notes()
    expect([...textsIn(notes)].sort()).toEqual([...before, ...after].sort())
    expect(new Set(notes.map(({ shardId }) => shardId)).size).toBe(3)
    // The parent is told of its end before any child begins.
    const told = notes.flatMap((note) => (note.told === undefined ? [] : [`${note.shardId === parent ? 'parent' : 'child'} ${note.told}`]))
    expect(told.slice(0, 3)).toEqual(['parent initialize', `parent ${ends[0]}`, 'child initialize'])
    expect(told.filter((line) => line.startsWith('child')).sort()).toEqual(
      [...ends.slice(1), 'initialize', ...ends.slice(1), 'initialize'].map((word) => `child ${word}`).sort(),
    )
    expect(pidsIn(notes)).toHaveLength(3)
    expect(pidsIn(notes).filter(isAlive)).toEqual([])
    expect(logger.lines.filter((line) => /^(warn|error)/.test(line))).toEqual([])
  })
})

describe('a child that dies in the middle of a batch', () => {
  it('is followed by another from the last checkpoint, loses nothing, and takes no other shard down', async () => {
    const world = aWorld(2)
    const all = [...texts('order', 30), 'throw', ...texts('later', 30)]
    const { worker, until, logger } = aHost(world, awsKcl(2, ledger.file))
    put(world.stream, all)

    const done = until('every record', (notes) => deliveredAll(all)(notes) && notes.filter(({ text }) => text === 'throw').length > 1)
    const run = worker.run()
    await done
    await worker.stop()
    await run

    const notes = ledger.notes()
    const struck = notes.find(({ text }) => text === 'throw')?.shardId ?? ''
    const other = ['shardId-000000000000', 'shardId-000000000001'].find((shardId) => shardId !== struck) ?? ''
    expect(new Set(textsIn(notes))).toEqual(new Set(all))
    expect(pidsIn(notes, struck)).toHaveLength(2)
    expect(pidsIn(notes, other)).toHaveLength(1)
    // The second one begins where the first had checkpointed.
    const ofStruck = notes.filter(({ shardId }) => shardId === struck)
    const second = ofStruck.findLastIndex(({ told }) => told === 'initialize')
    const checkpointed = ofStruck.slice(0, second).flatMap((note) => note.checkpointed ?? [])
    expect(ofStruck[second]?.at).toBe(checkpointed.at(-1) ?? 'TRIM_HORIZON')
    expect(logger.lines).toContainEqual(`error ${struck}: the record processor is gone: it is made anew`)
    expect(logger.lines.join('\n')).not.toContain(Buffer.from('throw').toString('base64'))
  })
})

describe('a child that forgets to checkpoint at the end of its shard', () => {
  it('is followed by another, which is told of the end again, until it is stored', async () => {
    const world = aWorld(1)
    const note = `require('fs').appendFileSync(${JSON.stringify(ledger.file)}, JSON.stringify({ told: message.action, pid: process.pid }) + '\\n')`
    const ends = `require('fs').readFileSync(${JSON.stringify(ledger.file)}, 'utf8').split('shardEnded').length - 1`
    const { worker, watch, logger } = aHost(
      world,
      scripted(
        `if (message.action === 'checkpoint') { done('shardEnded') } else { ${note}; if (message.action === 'shardEnded' && ${ends} > 1) { checkpoint() } else { done(message.action) } }`,
      ),
    )
    put(world.stream, ['one'])
    const read = watch.until('the first record', consumerHeard('recordsProcessed'))
    const run = worker.run()
    await read
    const ended = watch.until(
      'the end of the shard',
      ({ machine, step }) => machine === 'shardConsumer' && 'outcome' in step.after.context && step.after.context.outcome === 'finished',
    )
    world.stream.split('shardId-000000000000')
    await ended
    await worker.stop()
    await run

    const notes = ledger.notes()
    expect(toldIn(notes).filter((told) => told === 'shardEnded')).toHaveLength(2)
    const parents = new Set(notes.flatMap(({ told, pid }) => (told === 'shardEnded' && pid !== undefined ? [pid] : [])))
    expect(parents.size).toBe(2)
    expect(logger.lines).toContainEqual(
      "error shardId-000000000000: the record processor ended without the checkpoint of the shard's end: it is made anew",
    )
  })
})

describe('a checkpoint of a child', () => {
  it('that is not within what was delivered is refused with IllegalArgumentException, and one that is, is stored', async () => {
    const world = aWorld(1)
    const asked = ['999999999999999999999999999999999999999999999999999999999', 'nonsense', '-1', 'LATEST', 'SHARD_END']
    const ask = `checkpoint(${JSON.stringify(asked)}[globalThis.count++] ?? globalThis.last)`
    const note = `require('fs').appendFileSync(${JSON.stringify(ledger.file)}, JSON.stringify({ at: message.sequenceNumber, error: message.error }) + '\\n')`
    const { worker, until } = aHost(
      world,
      scripted(
        'globalThis.count = 0;done(message.action)',
        `if (message.action === 'processRecords') { globalThis.last = message.records.at(-1).sequenceNumber; ${ask} }` +
          ` else if (message.action === 'checkpoint') { ${note}; if (message.error) { ${ask} } else { done('processRecords') } } else { ${answer} }`,
      ),
    )
    const { sequenceNumber } = world.stream.put({ partitionKey: 'key', data: new Uint8Array([1]) })

    const stored = until('the checkpoint', (notes) => notes.at(-1)?.error === null)
    const run = worker.run()
    await stored
    await worker.stop()
    await run

    expect(ledger.notes()).toEqual([...asked.map((at) => ({ at, error: 'IllegalArgumentException' })), { at: sequenceNumber, error: null }])
    expect(await storedIn(world)).toBe(sequenceNumber)
  })
})

describe('a forced stop', () => {
  it('ends a child that does not return, when its lease is given up and its time is over', async () => {
    const world = aWorld(1)
    put(world.stream, ['one'])
    const watch = aWatch()
    const logger = aLogger()
    const pidFile = ledger.file
    const hang = `require('fs').appendFileSync(${JSON.stringify(pidFile)}, JSON.stringify({ pid: process.pid }) + '\\n')`
    const worker = new Worker({
      ...quick,
      adapters: world.adapters(),
      processor: childProcessors({ command: scripted(`${hang};done(message.action)`, ''), logger, timeoutMs: 4_000 }),
      observe: watch.observe,
    })
    const given = watch.until(
      'the batch',
      ({ machine, step }) => machine === 'shardConsumer' && step.effects.some(({ type }) => type === 'processRecords'),
    )
    const run = worker.run()
    await given
    await worker.stop({ force: true })
    await run

    expect(
      ledger
        .notes()
        .flatMap(({ pid }) => pid ?? [])
        .filter(isAlive),
    ).toEqual([])
    expect(logger.lines.at(-1)).toContain('it did not answer processRecords within 4000 ms')
  })
})

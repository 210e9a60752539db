import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aLedger, answer, aRecord, hostChild, type Ledger, scripted } from './multilang/setting.ts'

const quick = { exitTimeoutMs: 300, killTimeoutMs: 300, limitsDeliveries: true }
const records = (...numbers: readonly string[]) => numbers.map((number) => aRecord(number))

let ledger: Ledger
beforeEach(() => {
  ledger = aLedger()
})
afterEach(() => ledger.remove())

/** Code that notes what the child is told: where it begins, and the last record of each batch. */
const note = (): string =>
  `require('fs').appendFileSync(${JSON.stringify(ledger.file)}, JSON.stringify({ told: message.action, at: message.sequenceNumber ?? message.records?.at(-1).sequenceNumber }) + '\\n')`
/** A child that does what the code says at a batch, whose last number is `n`. */
const child = (atBatch: string): readonly string[] =>
  scripted(
    `${note()}; const n = message.records?.at(-1).sequenceNumber;` +
      ` if (message.action === 'processRecords') { ${atBatch} } else if (message.action === 'checkpoint') done('processRecords'); else ${answer}`,
  )
const heard = () => ledger.notes().map(({ told, at }) => [told, at])

describe('a batch on which a child fails', () => {
  it('is told as failed once another child is ready at the last checkpoint, which gets what is delivered then', async () => {
    const hosted = hostChild(child(`if (n === '2') process.exit(3); checkpoint()`), quick)

    await hosted.initialize()
    expect(await hosted.processRecords(records('1'))).toEqual({ type: 'recordsProcessed' })
    expect(await hosted.processRecords(records('2'))).toEqual({
      type: 'recordsFailed',
      error: {
        name: 'ChildProcessError',
        message: 'the child process failed during processRecords: it closed its stdout, or ended: exit code 3',
      },
    })
    expect(await hosted.processRecords(records('3'))).toEqual({ type: 'recordsProcessed' })
    expect(await hosted.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    expect(heard().filter(([told]) => told !== 'checkpoint')).toEqual([
      ['initialize', 'TRIM_HORIZON'],
      ['processRecords', '1'],
      ['processRecords', '2'],
      ['initialize', '1'],
      ['processRecords', '3'],
      ['leaseLost', undefined],
    ])
  })

  it.each([
    ['a status for another action', `done('shardEnded')`],
    ['no answer in time', 'setInterval(() => {}, 1000)'],
  ])('has failed at %s, too', async (_, code) => {
    const hosted = hostChild(child(code), { ...quick, timeoutMs: 4_000 })

    await hosted.initialize()
    expect(await hosted.processRecords(records('1'))).toMatchObject({ type: 'recordsFailed' })

    hosted.close()
  })

  it('counts a checkpoint inside it: the next child begins there', async () => {
    const dies = `if (message.action === 'checkpoint') process.exit(3); if (message.action === 'initialize') ${answer}; else checkpoint('0004')`
    const hosted = hostChild(scripted(`${note()}; ${dies}`), quick)

    await hosted.initialize()
    expect(await hosted.processRecords(records('3', '4', '5'))).toMatchObject({ type: 'recordsFailed' })

    expect(heard().filter(([told]) => told === 'initialize')).toEqual([
      ['initialize', 'TRIM_HORIZON'],
      ['initialize', '4'],
    ])
    hosted.close()
  })

  it.each([
    ['was not asked for', "if (n === '2') process.exit(3); done('processRecords')", null],
    ['was refused', "if (n === '2') process.exit(3); checkpoint()", { name: 'ThrottlingException', message: 'slow' }],
  ])('makes its processor anew where the checkpoint of what came before it %s', async (_, code, refusal) => {
    const hosted = hostChild(child(code), { ...quick, settle: () => refusal })

    await hosted.initialize()
    await hosted.processRecords(records('1'))
    expect(await hosted.processRecords(records('2'))).toEqual({ type: 'processorGone' })

    expect(hosted.warnings.at(-1)).toBe(
      'shardId-000000000000: the failed delivery does not count: the child had completed records before it without a checkpoint, which are delivered again',
    )
    expect(heard().filter(([told]) => told === 'initialize')).toHaveLength(1)
  })

  it('does not count what an earlier child had completed', async () => {
    const hosted = hostChild(child(`if (n !== '1') process.exit(3); checkpoint()`), quick)

    await hosted.initialize()
    await hosted.processRecords(records('1'))
    expect(await hosted.processRecords(records('2'))).toMatchObject({ type: 'recordsFailed' })
    expect(await hosted.processRecords(records('2'))).toMatchObject({ type: 'recordsFailed' })

    hosted.close()
  })

  it('is not at fault when its child had ended before', async () => {
    const leaves = `process.stdin.once('end', () => err('told to end')); require('fs').closeSync(1); setInterval(() => {}, 1000)`
    const hosted = hostChild(scripted(`${answer}; setTimeout(() => { ${leaves} }, 50)`), quick)

    await hosted.initialize()
    await hosted.warned('told to end')
    expect(await hosted.processRecords(records('1'))).toEqual({ type: 'processorGone' })
  })

  it('is not at fault when its child ends while it waits for the checkpoint before it', async () => {
    const stays = `process.on('SIGTERM', () => {}); process.stdin.once('end', () => { err('told to end'); setTimeout(process.exit, 200, 3) })`
    const leaves = `setTimeout(() => { ${stays}; require('fs').closeSync(1) }, 50)`
    const hosted = hostChild(child(`done('processRecords'); checkpoint(); ${leaves}`), { ...quick, settle: () => undefined })

    await hosted.initialize()
    await hosted.processRecords(records('1'))
    await hosted.requested(1)
    const answered = hosted.processRecords(records('2'))
    await hosted.warned('told to end')
    hosted.settle('c1', null)
    expect(await answered).toEqual({ type: 'processorGone' })
  })

  it('makes its processor anew where the next child cannot be initialised', async () => {
    const once = `if (require('fs').existsSync(${JSON.stringify(ledger.file)})) process.exit(3)`
    const hosted = hostChild(scripted(`${once}; ${note()}; ${answer}`, 'process.exit(3)'), quick)

    await hosted.initialize()
    expect(await hosted.processRecords(records('1'))).toEqual({ type: 'processorGone' })
  })

  it('starts no other child once its lease is lost', async () => {
    const hosted = hostChild(child('process.exit(3)'), quick)
    const abort = new AbortController()

    await hosted.initialize()
    const answered = hosted.processRecords(records('1'), { signal: abort.signal })
    abort.abort()
    expect(await answered).toEqual({ type: 'processorGone' })

    expect(heard().filter(([told]) => told === 'initialize')).toHaveLength(1)
  })
})

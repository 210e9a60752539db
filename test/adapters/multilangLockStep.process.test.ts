import { describe, expect, it } from 'vitest'
import { answer, aRecord, hostChild, scripted } from './multilang/setting.ts'

/** Writes what the child read, without the records, to stderr. */
const tell = "err(JSON.stringify({ ...message, records: undefined }) + '\\n')"
const toldBy = (warnings: readonly string[]): readonly unknown[] =>
  warnings.flatMap((line) => {
    const [, told] = /stderr: (\{.*)$/.exec(line) ?? []
    return told === undefined ? [] : [JSON.parse(told) as unknown]
  })

describe('a checkpoint', () => {
  it('is answered with the fields that it came with, and the callback goes on', async () => {
    const child = hostChild(
      scripted(
        answer,
        "say({ action: 'checkpoint', sequenceNumber: '12', subSequenceNumber: 3 })",
        `${tell};say({ action: 'checkpoint', sequenceNumber: null, subSequenceNumber: 4 })`,
        `${tell};say({ action: 'checkpoint', sequenceNumber: 'nonsense' })`,
        `${tell};done('processRecords')`,
        answer,
      ),
      { settle: ({ position }) => (position?.sequenceNumber === 'nonsense' ? { name: 'IllegalArgumentException', message: 'no' } : null) },
    )

    await child.initialize()
    expect(await child.processRecords([aRecord('12')])).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(child.requests.map(({ position }) => position)).toEqual([
      { sequenceNumber: '12', subSequenceNumber: 3 },
      null,
      { sequenceNumber: 'nonsense', subSequenceNumber: 0 },
    ])
    expect(toldBy(child.warnings)).toEqual([
      { action: 'checkpoint', sequenceNumber: '12', subSequenceNumber: 3, error: null },
      { action: 'checkpoint', sequenceNumber: null, subSequenceNumber: 4, error: null },
      { action: 'checkpoint', sequenceNumber: 'nonsense', subSequenceNumber: null, error: 'IllegalArgumentException' },
    ])
  })

  it.each(['initialize', 'leaseLost'])('during %s is refused with InvalidStateException, and asks for nothing', async (action) => {
    const asking = `if (message.action === '${action}') { checkpoint('1') } else if (message.action === 'checkpoint') { ${tell};done('${action}') } else { ${answer} }`
    const child = hostChild(scripted(asking))

    expect(await child.initialize()).toEqual({ type: 'initialized' })
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    expect(toldBy(child.warnings)).toEqual([
      { action: 'checkpoint', sequenceNumber: '1', subSequenceNumber: null, error: 'InvalidStateException' },
    ])
    expect(child.requests).toEqual([])
  })

  it('between two actions is served, and the next action waits for it', async () => {
    const child = hostChild(scripted(`${answer};checkpoint('5')`, `${tell}`, `${tell};${answer}`, answer), { settle: () => undefined })

    await child.initialize()
    await child.requested(1)
    const processed = child.processRecords([aRecord('6')])
    child.settle('c1', null)

    expect(await processed).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()
    expect(toldBy(child.warnings)).toEqual([
      { action: 'checkpoint', sequenceNumber: '5', subSequenceNumber: null, error: null },
      { action: 'processRecords', millisBehindLatest: 42 },
    ])
  })

  it('that is settled under another name changes nothing', async () => {
    const child = hostChild(scripted(answer, "checkpoint('5')", `${tell};done('processRecords')`, answer), { settle: () => undefined })

    await child.initialize()
    const processed = child.processRecords([aRecord('6')])
    await child.requested(1)
    child.settle('c7', { name: 'ShutdownException', message: 'of another' })
    child.settle('c1', null)
    await processed
    await child.leaseLost()

    expect(toldBy(child.warnings)).toEqual([{ action: 'checkpoint', sequenceNumber: '5', subSequenceNumber: null, error: null }])
  })

  it('after another, asked for before the first is answered, waits its turn', async () => {
    const child = hostChild(scripted(answer, "checkpoint('5');checkpoint('6')", tell, `${tell};done('processRecords')`, answer))

    await child.initialize()
    expect(await child.processRecords([aRecord('6')])).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(child.requests.map(({ request, position }) => [request, position?.sequenceNumber])).toEqual([
      ['c1', '5'],
      ['c2', '6'],
    ])
    expect(toldBy(child.warnings)).toHaveLength(2)
  })
})

describe('a status', () => {
  it('that nothing asked for is told and dropped', async () => {
    const child = hostChild(scripted(`${answer};${answer};say('said it twice')`, answer))

    await child.initialize()
    await child.warned('said it twice')
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    expect(child.warnings[0]).toBe('shardId-000000000000: it sent a status for initialize that nothing asked for')
  })

  it('for the action before is told and dropped, too', async () => {
    const child = hostChild(scripted(answer, "done('initialize');done('processRecords')", answer))

    await child.initialize()
    expect(await child.processRecords([aRecord('1')])).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(child.warnings).toEqual(['shardId-000000000000: it sent a status for initialize that nothing asked for'])
  })

  it('may come twice after the end of the shard, also at once', async () => {
    const status = JSON.stringify({ action: 'status', responseFor: 'shardEnded' })
    const child = hostChild(scripted(answer, `say(${JSON.stringify(`${status}\n${status}`)})`))

    await child.initialize()
    expect(await child.shardEnded()).toEqual({ type: 'shardEndedNotified' })

    expect(child.warnings).toEqual([])
  })

  const early = (sequenceNumber: string): string => `checkpoint('${sequenceNumber}');done('processRecords');say('early ${sequenceNumber}')`

  it('before and after the reply to a checkpoint completes its action once: the next one is not taken for completed', async () => {
    const child = hostChild(scripted(answer, early('1'), "done('processRecords')", 'process.exit(9)'), { settle: () => undefined })

    await child.initialize()
    const first = child.processRecords([aRecord('1')])
    await child.warned('early 1')
    child.settle('c1', null)
    expect(await first).toEqual({ type: 'recordsProcessed' })
    expect(await child.processRecords([aRecord('2')])).toEqual({ type: 'processorGone' })

    expect(child.warnings.at(-1)).toMatch(/: exit code 9$/)
  })

  it('only before the reply to a checkpoint completes its action, too, when no second one follows', async () => {
    const child = hostChild(scripted(answer, early('1'), '', early('2'), '', answer), { settle: () => undefined })

    await child.initialize()
    for (const place of ['1', '2']) {
      const processed = child.processRecords([aRecord(place)])
      await child.warned(`early ${place}`)
      child.settle(`c${place}`, null)
      expect(await processed).toEqual({ type: 'recordsProcessed' })
    }
    await child.leaseLost()

    expect(child.requests.map(({ position }) => position?.sequenceNumber)).toEqual(['1', '2'])
  })
})

describe('records', () => {
  it('at or below the place after which they are asked for are left out, and a batch of nothing else is done', async () => {
    const child = hostChild(
      scripted(answer, "err(message.records.map((record) => record.sequenceNumber) + '\\n');done('processRecords')", answer),
    )
    const after = { sequenceNumber: '2', subSequenceNumber: 0 }

    await child.initialize()
    expect(await child.processRecords([aRecord('1'), aRecord('2'), aRecord('3'), aRecord('4')], { after })).toEqual({
      type: 'recordsProcessed',
    })
    expect(await child.processRecords([aRecord('1'), aRecord('2')], { after })).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(child.warnings).toEqual(['shardId-000000000000: stderr: 3,4'])
  })

  it('that the store does not hold any more are answered batchGone; those of a child that is gone, processorGone', async () => {
    const child = hostChild(scripted(answer))
    const effect = {
      type: 'processRecords',
      id: 9,
      shardId: 'shardId-000000000000',
      batch: { batchId: 'b9', count: 1, first: null, last: null, bytes: 0, millisBehindLatest: null, atShardEnd: false, childShards: [] },
      after: null,
      attempt: 0,
    } as const
    const context = { signal: new AbortController().signal, onAbort: () => undefined }

    expect(await child.handlers.processRecords(effect, context)).toEqual({ type: 'processorGone' })
    await child.initialize()
    expect(await child.handlers.processRecords(effect, context)).toEqual({ type: 'batchGone' })
    await child.leaseLost()
  })

  it('may be none at all, where empty batches are asked for', async () => {
    const child = hostChild(scripted(answer, "err('got ' + message.records.length);done('processRecords')", answer))

    await child.initialize()
    expect(await child.processRecords([])).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(child.warnings).toEqual(['shardId-000000000000: stderr: got 0'])
  })
})

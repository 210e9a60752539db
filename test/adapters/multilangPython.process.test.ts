import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aLedger, aRecord, hostChild, isAlive, type Ledger, python, textsIn, toldIn } from './multilang/setting.ts'

let ledger: Ledger
beforeEach(() => {
  ledger = aLedger()
})
afterEach(() => ledger.remove())

/** What each version calls the ends. */
const words = {
  1: { lost: 'shutdown ZOMBIE', ended: 'shutdown TERMINATE' },
  2: { lost: 'shutdown ZOMBIE', ended: 'shutdown TERMINATE' },
  3: { lost: 'leaseLost', ended: 'shardEnded' },
} as const

describe.each([1, 2, 3] as const)('a record processor of version %i in Python', (version) => {
  it('is told of records, of a requested shutdown and of its lost lease, checkpoints, and ends', async () => {
    const child = hostChild(python(version, ledger.file))

    expect(await child.initialize({ sequenceNumber: '7', subSequenceNumber: 1 })).toEqual({ type: 'initialized' })
    expect(
      await child.processRecords([aRecord('8', 'kéy ✓', { partitionKey: '\u2028ключ😀' }), aRecord('9', 'b', { subSequenceNumber: 4 })]),
    ).toEqual({
      type: 'recordsProcessed',
    })
    expect(await child.shutdownRequested()).toEqual({ type: 'shutdownRequestedNotified' })
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    const notes = ledger.notes()
    expect(toldIn(notes)).toEqual(['initialize', 'shutdownRequested', words[version].lost])
    expect(textsIn(notes)).toEqual(['kéy ✓', 'b'])
    expect(notes.find(({ text }) => text === 'kéy ✓')?.partitionKey).toBe('\u2028ключ😀')
    const position = version === 2 ? { sequenceNumber: '9', subSequenceNumber: 4 } : null
    expect(child.requests.map((request) => request.position)).toEqual([position, null])
    expect(isAlive(notes[0]?.pid ?? 0)).toBe(false)
    expect(child.warnings).toEqual([])
  })

  it('checkpoints at the end of its shard, and ends', async () => {
    const child = hostChild(python(version, ledger.file))

    await child.initialize()
    expect(await child.shardEnded()).toEqual({ type: 'shardEndedNotified' })

    expect(toldIn(ledger.notes())).toEqual(['initialize', words[version].ended])
    expect(child.requests.map(({ position }) => position)).toEqual([null])
    expect(isAlive(ledger.notes()[0]?.pid ?? 0)).toBe(false)
  })
})

describe('a record processor in Python', () => {
  it('cannot checkpoint once its lease is lost, and is told so by its own library', async () => {
    const child = hostChild(python(2, ledger.file))

    await child.initialize()
    await child.leaseLost()

    expect(ledger.notes().at(-1)).toMatchObject({ told: 'shutdown ZOMBIE', refused: 'ShutdownException' })
    expect(child.requests).toEqual([])
  })

  it.each(['ShutdownException', 'ThrottlingException', 'IllegalArgumentException'])(
    'hears of a refused checkpoint by its name: %s',
    async (name) => {
      const child = hostChild(python(3, ledger.file), { settle: () => ({ name, message: 'refused' }) })

      await child.initialize()
      await child.processRecords([aRecord('1')])
      await child.leaseLost()

      expect(ledger.notes()).toContainEqual(expect.objectContaining({ refused: name }))
    },
  )

  it('has processed records that it raised at, since its library says so; the traceback is told', async () => {
    const child = hostChild(python(3, ledger.file))

    await child.initialize()
    expect(await child.processRecords([aRecord('1', 'raise')])).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(child.warnings).toContainEqual('shardId-000000000000: stderr: RuntimeError: told to')
    expect(child.requests).toEqual([])
  })

  it('is gone when it exits, with its code', async () => {
    const child = hostChild(python(3, ledger.file))

    await child.initialize()
    expect(await child.processRecords([aRecord('1', 'exit')])).toEqual({ type: 'processorGone' })

    expect(child.warnings.at(-1)).toMatch(/: exit code 7$/)
  })
})

import type { KinesisRecord } from '@shardwise/effects'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { BoundedLines } from '../../src/adapters/multilang/boundedLines.ts'
import { Conversation } from '../../src/adapters/multilang/conversation.ts'
import { processRecordsLine, readMessage } from '../../src/adapters/multilang/messages.ts'
import { aRecord } from '../adapters/multilang/setting.ts'
import { bytesNear, hostileText, unfitForALog } from './hostile.ts'

const said = [
  '{"action":"status","responseFor":"processRecords"}\n',
  '{"action":"status","responseFor":"initialize"}\n',
  '{"action":"checkpoint","sequenceNumber":"49590338271490256608559692540925702759324208523137515618","subSequenceNumber":3}\n',
  '{"action":"checkpoint"}\n{"action":"checkpoint","sequenceNumber":12}\r\n{"action":"status"}\n',
  'a line that it printed\n{"action":"status","responseFor":"processRecords","more":1}\n',
].map((text) => Buffer.from(text))

const mostBytes = 256

/** A talk in which `processRecords` was asked, and what came of it. */
function aTalk({ write = () => Promise.resolve(), settles = true, timeoutMs = undefined as number | undefined } = {}) {
  const [told, asked, lines]: [string[], string[], string[]] = [[], [], []]
  let out = 0
  const talk: Conversation = new Conversation(
    {
      write: (line) => {
        lines.push(line)
        return write()
      },
      nextRequest: () => `c${asked.length}`,
      requestCheckpoint: (request) => {
        asked.push(request)
        out += 1
        expect(out).toBe(1)
        if (settles) {
          out -= 1
          talk.settle(request, 'IllegalArgumentException')
        }
      },
      warn: (message) => told.push(message),
    },
    timeoutMs,
  )
  const ended = talk.ask('processRecords', '{}\n').then(
    () => 'answered',
    (error: unknown) => {
      told.push((error as Error).message)
      return 'broken'
    },
  )
  const hear = new BoundedLines(mostBytes, (line, cut) => {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(3 * mostBytes)
    const message = cut ? undefined : readMessage(line)
    if (message !== undefined) talk.hear(message)
  })
  return { talk, hear, ended, told, asked, lines }
}

describe('what a child writes', () => {
  it('is read whatever it is, in whatever pieces: one checkpoint is out at most, and what is told of it is fit for a log', async () => {
    const ends: Record<string, number> = { answered: 0, broken: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(bytesNear(said), { maxLength: 6 }), fc.boolean(), async (pieces, settles) => {
        const { talk, hear, ended, told, asked, lines } = aTalk({ settles })
        for (const piece of pieces) hear.push(piece)
        hear.end()
        talk.break('the test is over')

        const end = await ended
        ends[end] = (ends[end] ?? 0) + 1
        expect(told.map(unfitForALog).filter((why) => why !== undefined)).toEqual([])
        if (!settles) expect(asked.length).toBeLessThanOrEqual(1)
        // Replies are one line each, however wild what they repeat.
        expect(lines.filter((line) => !/^[\x20-\x7f]*\n$/.test(line))).toEqual([])
      }),
      { numRuns: 600 },
    )
    expect(ends).toEqual({ answered: expect.any(Number) as number, broken: expect.any(Number) as number })
    expect(Math.min(...Object.values(ends))).toBeGreaterThan(5)
  })

  it('is no message, or one of the two, whatever text it is', () => {
    const scalar = fc.oneof(hostileText(20), fc.double(), fc.boolean(), fc.constant(null), fc.bigInt().map(String))
    const field = fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }))
    const hostile = fc.oneof(
      hostileText(40),
      fc
        .record({ action: fc.constantFrom('status', 'checkpoint'), responseFor: field }, { requiredKeys: ['action'] })
        .map((value) => JSON.stringify(value)),
      fc
        .record(
          {
            action: fc.constant('checkpoint'),
            sequenceNumber: field,
            subSequenceNumber: field,
            error: field,
          },
          { requiredKeys: ['action'] },
        )
        .map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(hostile, (line) => {
        const message = readMessage(line)
        if (message?.action === 'status') expect(['string', 'undefined']).toContain(typeof message.responseFor)
        else if (message !== undefined) {
          expect(message.action).toBe('checkpoint')
          expect(message.sequenceNumber === null || typeof message.sequenceNumber === 'string').toBe(true)
          expect(message.subSequenceNumber).not.toBeNaN()
        }
      }),
      { numRuns: 200 },
    )
  })

  it('cannot begin a line of the log with the name of the action that it answers', async () => {
    const { talk, ended, told } = aTalk()
    talk.hear({ action: 'status', responseFor: `x\n2026-01-31T12:00:00.000Z error \u001b[31m${'y'.repeat(5_000)}` })

    expect(await ended).toBe('broken')
    expect(told).toEqual([
      expect.stringMatching(/^it answered processRecords with a status for x\?2026-01-31T12:00:00.000Z error \?\[31my{900,1000}…$/),
    ])
  })
})

describe('a child that asks for checkpoints and never reads a reply', () => {
  it('is given up before the replies fill the memory', async () => {
    const { talk, ended, told, lines } = aTalk({ write: () => new Promise(() => undefined) })
    for (let n = 0; n < 1_000; n += 1) talk.hear({ action: 'checkpoint', sequenceNumber: '1', subSequenceNumber: null })

    expect(await ended).toBe('broken')
    expect(told).toEqual(['it does not read its stdin: 16 lines wait'])
    expect(lines).toHaveLength(16)
  })

  it('is given up at the next action too, and nothing waits for it any more', async () => {
    vi.useFakeTimers()
    try {
      const { talk, ended } = aTalk({ write: () => new Promise(() => undefined), timeoutMs: 60_000 })
      for (let n = 0; n < 15; n += 1) talk.hear({ action: 'checkpoint', sequenceNumber: '1', subSequenceNumber: null })
      talk.hear({ action: 'status', responseFor: 'processRecords' })

      expect(await ended).toBe('answered')
      await expect(talk.ask('processRecords', '{}\n')).rejects.toThrow('it does not read its stdin: 16 lines wait')
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('may ask for as many as it likes when it reads them', async () => {
    const { talk, ended, lines } = aTalk()
    for (let n = 0; n < 1_000; n += 1) {
      talk.hear({ action: 'checkpoint', sequenceNumber: '1', subSequenceNumber: null })
      await Promise.resolve()
    }
    talk.hear({ action: 'status', responseFor: 'processRecords' })

    expect(await ended).toBe('answered')
    expect(lines).toHaveLength(1_001)
  })
})

describe('a batch whose records all name one long partition key', () => {
  it('is refused before its line is made', () => {
    const partitionKey = 'k'.repeat(500_000)
    const records = Array.from<KinesisRecord>({ length: 80_000 }).fill(aRecord('1', '', { partitionKey }))

    expect(() => processRecordsLine(records, 0)).toThrow(
      'processRecords: expected records for a line of at most 268435456 bytes, got 80000 for up to 240032000000',
    )
  })

  it('is no larger than what was counted for it', () => {
    fc.assert(
      fc.property(hostileText(40), fc.uint8Array({ maxLength: 50 }), (partitionKey, data) => {
        const sequenceNumber = '9'.repeat(129)
        const more = { partitionKey, subSequenceNumber: Number.MAX_SAFE_INTEGER, approximateArrivalTimestamp: new Date(8.64e15) }
        const alone = processRecordsLine([], 0).length
        const { length } = processRecordsLine([aRecord(sequenceNumber, data, more)], 0)

        expect(length - alone).toBeLessThanOrEqual(400 + partitionKey.length * 6 + Math.ceil(data.length / 3) * 4)
      }),
      { numRuns: 200 },
    )
  })
})

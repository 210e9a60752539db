import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkpointLine, initializeLine, plainLine, processRecordsLine, readMessage } from '../../src/adapters/multilang/messages.ts'
import { aRecord, shardId } from './multilang/setting.ts'

describe('a line for a child', () => {
  it('writes every key of every message, in the order of the KCL', () => {
    expect(initializeLine(shardId, { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 })).toBe(
      '{"action":"initialize","shardId":"shardId-000000000000","sequenceNumber":"TRIM_HORIZON","subSequenceNumber":0}\n',
    )
    expect(processRecordsLine([aRecord('49', 'hello', { partitionKey: 'pk' })], 42)).toBe(
      '{"action":"processRecords","records":[{"data":"aGVsbG8=","partitionKey":"pk","sequenceNumber":"49",' +
        '"approximateArrivalTimestamp":1700000000123,"subSequenceNumber":0,"action":"record"}],"millisBehindLatest":42}\n',
    )
    expect(processRecordsLine([aRecord('49', '', { approximateArrivalTimestamp: undefined })], null)).toBe(
      '{"action":"processRecords","records":[{"data":"","partitionKey":"key","sequenceNumber":"49",' +
        '"approximateArrivalTimestamp":null,"subSequenceNumber":0,"action":"record"}],"millisBehindLatest":null}\n',
    )
    expect(plainLine('leaseLost')).toBe('{"action":"leaseLost"}\n')
    expect(plainLine('shardEnded')).toBe('{"action":"shardEnded"}\n')
    expect(plainLine('shutdownRequested')).toBe('{"action":"shutdownRequested"}\n')
    expect(checkpointLine({ action: 'checkpoint', sequenceNumber: '49', subSequenceNumber: 0 }, null)).toBe(
      '{"action":"checkpoint","sequenceNumber":"49","subSequenceNumber":0,"error":null}\n',
    )
    expect(checkpointLine({ action: 'checkpoint', sequenceNumber: null, subSequenceNumber: null }, 'ShutdownException')).toBe(
      '{"action":"checkpoint","sequenceNumber":null,"subSequenceNumber":null,"error":"ShutdownException"}\n',
    )
  })

  it('is one line of ASCII that holds the partition key and the bytes as they are, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), fc.nat({ max: 3 }), (partitionKey, bytes, offset) => {
        const data = new Uint8Array([9, 9, 9, ...bytes]).subarray(offset)
        const line = processRecordsLine([aRecord('1', data, { partitionKey })], 0)
        const { records } = JSON.parse(line) as { records: readonly { readonly partitionKey: string; readonly data: string }[] }

        expect(line).toMatch(/^[\x20-\x7f]*\n$/)
        expect(records[0]?.partitionKey).toBe(partitionKey)
        expect([...Buffer.from(records[0]?.data ?? '', 'base64')]).toEqual([...data])
      }),
    )
  })
})

describe('a line of a child', () => {
  const digits = '49590338271490256608559692540925702759324208523137515618'
  const checkpoint = (sequenceNumber: string | null, subSequenceNumber: number | null = null) => ({
    action: 'checkpoint',
    sequenceNumber,
    subSequenceNumber,
  })

  it.each([
    ['{"action":"status","responseFor":"initialize"}', { action: 'status', responseFor: 'initialize' }],
    ['{"action": "status", "responseFor": "x"}', { action: 'status', responseFor: 'x' }],
    ['{"action":"status"}', { action: 'status', responseFor: undefined }],
    ['{"action":"status","responseFor":null}', { action: 'status', responseFor: undefined }],
    ['  \t{"action":"status","responseFor":"x"} and more', { action: 'status', responseFor: 'x' }],
    ['{"action":"status","responseFor":"x"}\r', { action: 'status', responseFor: 'x' }],
    ['{"action":"checkpoint"}', checkpoint(null)],
    ['{"action":"checkpoint","sequenceNumber":null,"subSequenceNumber":null,"error":null}', checkpoint(null)],
    ['{"action":"checkpoint","sequenceNumber":"12"}', checkpoint('12')],
    ['{"action":"checkpoint","sequenceNumber":"12","subSequenceNumber":3}', checkpoint('12', 3)],
    ['{"action":"checkpoint","sequenceNumber":"12","subSequenceNumber":"3"}', checkpoint('12', 3)],
    [`{"action":"checkpoint","sequenceNumber": ${digits}}`, checkpoint(digits)],
    ['{"action":"checkpoint","sequenceNumber":true}', checkpoint('true')],
    ['{"action":"checkpoint","sequenceNumber":"no number"}', checkpoint('no number')],
  ])('is read: %s', (line, message) => {
    expect(readMessage(line)).toEqual(message)
  })

  it.each([
    '',
    'starting up',
    '42',
    'null',
    '[]',
    '[{"action":"status","responseFor":"x"}]',
    '{}',
    '{"action":"status","responseFor":"x"',
    '{action:"status"}',
    '{"action":"shardEnded"}',
    '{"action":"record"}',
    '{"action":7}',
    '{"action":"status","responseFor":"x","more":1}',
    '{"action":"checkpoint","checkpoint":"12"}',
    '{"action":"checkpoint","sequenceNumber":["12"]}',
    '{"action":"checkpoint","sequenceNumber":"1","subSequenceNumber":"many"}',
    '{"action":"checkpoint","sequenceNumber":{"a":{}}}',
    '{"__proto__":{"action":"status"}}',
  ])('is no message: %s', (line) => {
    expect(readMessage(line)).toBeUndefined()
  })

  it('is read in the time of its length, however it is nested, and whatever it holds', () => {
    expect(readMessage('{"a":'.repeat(10_000))).toBeUndefined()
    expect(readMessage(`{"action":${'['.repeat(60_000)}`)).toBeUndefined()
    expect(readMessage(`{"action":"status","responseFor":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)).toEqual({
      action: 'status',
      responseFor: undefined,
    })
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readMessage(text)))
    fc.assert(fc.property(fc.json(), (text) => void readMessage(text)))
  })
})

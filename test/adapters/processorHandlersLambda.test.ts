import type { KinesisRecord } from '@shardwise/effects'
import { type KinesisStreamEvent, lambdaRecords, type RecordProcessor } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aShard, consumeAll, shardId } from './processorHandlersSetting.ts'
import { aRecord } from './processorSetting.ts'

const eventSourceARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'
const textsOf = (event: KinesisStreamEvent): string =>
  event.Records.map(({ kinesis }) => Buffer.from(kinesis.data, 'base64').toString()).join()

/** Hands records over as a host does, without a machine. */
async function deliver(processor: RecordProcessor, records: readonly KinesisRecord[]): Promise<void> {
  await processor.initialize({
    shardId,
    extendedSequenceNumber: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 },
    pendingCheckpointSequenceNumber: undefined,
    token: 5,
  })
  await processor.processRecords({
    shardId,
    records,
    checkpointer: { checkpoint: () => Promise.resolve() },
    millisBehindLatest: 0,
    isAtShardEnd: false,
    childShards: [],
    attempt: 0,
    signal: new AbortController().signal,
    pause: () => () => undefined,
  })
}

describe('the event of lambdaRecords', () => {
  it('has every field that Lambda gives a record of Kinesis', async () => {
    const events: KinesisStreamEvent[] = []
    const record = {
      ...aRecord('42'),
      partitionKey: 'key',
      data: Buffer.from('hello'),
      approximateArrivalTimestamp: new Date(1_769_860_800_123),
    }
    await deliver(lambdaRecords((event) => void events.push(event), { eventSourceARN })(shardId), [record])
    expect(events).toEqual([
      {
        Records: [
          {
            kinesis: {
              kinesisSchemaVersion: '1.0',
              partitionKey: 'key',
              sequenceNumber: '42',
              data: 'aGVsbG8=',
              approximateArrivalTimestamp: 1_769_860_800.123,
            },
            eventSource: 'aws:kinesis',
            eventVersion: '1.0',
            eventID: `${shardId}:42`,
            eventName: 'aws:kinesis:record',
            invokeIdentityArn: '',
            awsRegion: 'eu-west-1',
            eventSourceARN,
          },
        ],
      },
    ])
    expect(JSON.parse(JSON.stringify(events))).toEqual(events)
  })

  it('writes base64 as Node does, whatever the bytes and their number', async () => {
    const payloads = Array.from({ length: 300 }, (_, length) => Uint8Array.from({ length }, (__, at) => (at * 37 + length * 11) % 256))
    const got: string[] = []
    const records = payloads.map((data, n) => ({ ...aRecord(String(n + 1)), data }))
    const processor = lambdaRecords((event) => void got.push(...event.Records.map(({ kinesis }) => kinesis.data)), { eventSourceARN })(
      shardId,
    )
    await deliver(processor, records)
    expect(got).toEqual(payloads.map((data) => Buffer.from(data).toString('base64')))
  })

  it('gives the records of one aggregate identifiers of their own, so that nobody takes them for duplicates', async () => {
    const ids: string[] = []
    const records = [0, 1].map((sub) => ({ ...aRecord('42', sub), aggregated: true }))
    await deliver(
      lambdaRecords((event) => void ids.push(...event.Records.map(({ eventID }) => eventID)), { eventSourceARN })(shardId),
      records,
    )
    expect(ids).toEqual([`${shardId}:42/0`, `${shardId}:42/1`])
  })

  it('holds as many records as Lambda gives, 100 unless said otherwise', async () => {
    const sizes: number[] = []
    const records = Array.from({ length: 250 }, (_, n) => aRecord(String(n + 1)))
    const handler = (event: KinesisStreamEvent): void => void sizes.push(event.Records.length)
    await deliver(lambdaRecords(handler, { eventSourceARN })(shardId), records)
    await deliver(lambdaRecords(handler, { eventSourceARN, batchSize: 200 })(shardId), records)
    expect(sizes).toEqual([100, 100, 50, 200, 50])
  })

  it('comes with the context of the batch', async () => {
    const told: unknown[] = []
    const processor = lambdaRecords((_, { shardId: id, token, attempt }) => void told.push(id, token, attempt), { eventSourceARN })(shardId)
    await deliver(processor, [aRecord('1')])
    expect(told).toEqual([shardId, 5, 0])
  })
})

/** Consumes `a1 b2 c3 d4` with a handler that answers so to its first event. */
async function answering(answer: (sequenceNumbers: readonly string[]) => unknown) {
  const events: string[] = []
  const processor = lambdaRecords(
    (event) => {
      events.push(textsOf(event))
      return events.length > 1 ? null : (answer(event.Records.map(({ kinesis }) => kinesis.sequenceNumber)) as undefined)
    },
    { eventSourceARN },
  )(shardId)
  const { stored, failures } = await consumeAll(aShard(['a1', 'b2', 'c3', 'd4']), processor)
  return { events, stored, failures }
}

describe('what a Lambda handler answers', () => {
  it('makes the batch go on at the lowest record that failed, and stores what is before it', async () => {
    const { events, stored, failures } = await answering(([, b2, , d4]) => ({
      batchItemFailures: [{ itemIdentifier: d4 }, { itemIdentifier: b2 }],
    }))
    expect(events).toEqual(['a1,b2,c3,d4', 'b2,c3,d4'])
    expect(stored).toEqual(['a1', 'd4', 'SHARD_END'])
    expect(failures).toEqual([expect.stringMatching(/^recordsFailed BatchItemFailures: 2 failed, the first at \d+$/)])
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['no list', { batchItemFailures: null }],
    ['an empty list', { batchItemFailures: [] }],
  ])('is a success when it is %s', async (_, answer) => {
    const { events, stored, failures } = await answering(() => answer)
    expect([events, stored, failures]).toEqual([['a1,b2,c3,d4'], ['d4', 'SHARD_END'], []])
  })

  it.each<[string, unknown]>([
    ['names a record that was not in the event', { batchItemFailures: [{ itemIdentifier: '7' }] }],
    ['has an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['has no identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['has another key', { batchItemFailures: [{ id: '7' }] }],
    ['has items that are nothing', { batchItemFailures: [null] }],
    ['has no list', { batchItemFailures: 'b2' }],
    ['is a text', 'done'],
  ])('fails the whole event when it %s', async (_, answer) => {
    const { events, stored, failures } = await answering(() => answer)
    expect(events).toEqual(['a1,b2,c3,d4', 'a1,b2,c3,d4'])
    expect(stored).toEqual(['d4', 'SHARD_END'])
    expect(failures).toEqual([expect.stringMatching(/^recordsFailed BatchItemFailures: .*expected/)])
  })

  it('does not make earlier events of the batch come again', async () => {
    const events: string[] = []
    const processor = lambdaRecords(
      (event) => {
        events.push(textsOf(event))
        if (events.length === 2) throw new Error('once')
      },
      { eventSourceARN, batchSize: 2 },
    )(shardId)
    const { stored } = await consumeAll(aShard(['a1', 'b2', 'c3', 'd4']), processor)
    expect(events).toEqual(['a1,b2', 'c3,d4', 'c3,d4'])
    expect(stored).toEqual(['b2', 'd4', 'SHARD_END'])
  })
})

import { readFileSync } from 'node:fs'
import type { KinesisRecord } from '@shardwise/effects'
import { deaggregate } from '@shardwise/kinesis'
import { expect, test } from 'vitest'

interface Vector {
  readonly name: string
  readonly data: string
  readonly startingHashKey: string
  readonly endingHashKey: string
  readonly expected: readonly object[]
}

const { cases } = JSON.parse(readFileSync(new URL('./kplVectors.json', import.meta.url), 'utf8')) as { cases: readonly Vector[] }

test.each(cases)('delivers what the KCL delivers: $name', ({ data, startingHashKey, endingHashKey, expected }) => {
  const record: KinesisRecord = {
    sequenceNumber: '42',
    subSequenceNumber: 0,
    partitionKey: 'outer',
    data: Buffer.from(data, 'base64'),
    approximateArrivalTimestamp: new Date(1_700_000_000_123),
    encryptionType: 'KMS',
  }
  const delivered = deaggregate([record], { hashKeyRange: { startingHashKey, endingHashKey } })
  expect(delivered.map(written)).toEqual(expected)
})

function written(record: KinesisRecord): object {
  return {
    partitionKey: record.partitionKey,
    explicitHashKey: record.explicitHashKey ?? null,
    subSequenceNumber: record.subSequenceNumber,
    aggregated: record.aggregated ?? false,
    sequenceNumber: record.sequenceNumber,
    arrivedAtMs: record.approximateArrivalTimestamp?.getTime(),
    encryptionType: record.encryptionType,
    data: Buffer.from(record.data).toString('base64'),
  }
}

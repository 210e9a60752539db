import { aggregateContract, type MakeRecordSource } from '@shardwise/testing'
import { describe, expect, test } from 'vitest'
import { aggregate } from '../adapters/kplAggregate.ts'
import { kinesisOverMemory } from '../adapters/memoryKinesis.ts'

/** The names of the cases that reject. */
async function complaints(make: MakeRecordSource): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, run } of aggregateContract(make, aggregate)) await run().catch(() => names.push(name))
  return names
}

/** The hash keys of the first of two shards. */
const lower = { startingHashKey: '0', endingHashKey: '170141183460469231731687303715884105727' }
const cases = {
  apart: 'takes an aggregate apart, in its place between plain records',
  batch: 'describes a batch by the user records in it',
  on: 'goes on after every user record of an aggregate when the shard is opened at its number',
  count: 'counts a batch after leaving out the user records at or below the checkpoint',
  ahead: 'loses and repeats nothing when it reads one Kinesis record at a time, and ahead',
  other: 'leaves out a whole aggregate with a user record of another shard, and delivers the one after it',
  split: 'leaves out a whole aggregate that was made for the parent of its shard, and reaches over the split',
}

describe('the contract of a source that takes aggregates apart', () => {
  test('has nothing to say against a source that keeps it', async () => {
    expect(await complaints(kinesisOverMemory())).toEqual([])
  })

  test.each<[string, MakeRecordSource, readonly string[]]>([
    ['leaves aggregates as they are', kinesisOverMemory({ deaggregate: false }), Object.values(cases)],
    ['leaves out the whole Kinesis record of a checkpoint', afterLast(), [cases.on, cases.count]],
    ['leaves nothing out', changed(() => null), [cases.on, cases.count]],
    [
      'delivers the record of a checkpoint again',
      changed((after) => ({ ...after, subSequenceNumber: after.subSequenceNumber - 1 })),
      [cases.on, cases.count],
    ],
    ['looks at no hash keys', kinesisOverMemory({ hashKeyRangeOf: () => null }), [cases.other, cases.split]],
    ['looks at the hash keys of the parent', kinesisOverMemory({ hashKeyRangeOf: () => lower }), [cases.split]],
  ])('notices a source that %s', async (_, make, noticed) => {
    expect(await complaints(make)).toEqual(noticed)
  })
})

interface Place {
  readonly sequenceNumber: string
  readonly subSequenceNumber: number
}

/** A source that leaves out what is at or below another place. */
function changed(change: (after: Place) => Place | null): MakeRecordSource {
  return kinesisOverMemory({}, (source) => ({
    readRecords: (effect, context) =>
      source.readRecords({ ...effect, after: effect.after === null ? null : change(effect.after) }, context),
  }))
}

function afterLast(): MakeRecordSource {
  return changed((after) => ({ ...after, subSequenceNumber: Number.MAX_SAFE_INTEGER }))
}

import type { InitialPosition, Shard } from '@shardwise/effects'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coversHashKeys, holeInLeases, leasesForEmptyTable, missingLeases, unexpectedChildShards } from '../../src/machine/shardSync.ts'
import { aLease, at, graphA, graphB, graphC, idOf, lastHashKey, numberOf } from './shardGraphs.ts'

const leasesCoverStream = (leases: Parameters<typeof holeInLeases>[0]): boolean => holeInLeases(leases) === null

const LATEST: InitialPosition = { type: 'LATEST' }
const TRIM_HORIZON: InitialPosition = { type: 'TRIM_HORIZON' }
const AT_TIMESTAMP: InitialPosition = { type: 'AT_TIMESTAMP', timestampMs: 1_000 }
const fromTheStart = [TRIM_HORIZON, AT_TIMESTAMP]
const anywhere = [LATEST, TRIM_HORIZON, AT_TIMESTAMP]

const numbersOf = (shards: readonly Shard[], leased: readonly number[], position: InitialPosition): readonly number[] =>
  missingLeases(shards, leased.map(idOf), position).map(({ leaseKey }) => numberOf(leaseKey))

type Row = readonly [graph: 'A' | 'B' | 'C', positions: readonly InitialPosition[], leased: readonly number[], created: readonly number[]]

const graphs = { A: graphA, B: graphB, C: graphC }
const rows: readonly Row[] = [
  ['A', [LATEST], [4, 5, 7], [6]],
  ['A', fromTheStart, [4, 5, 7], [0, 1]],
  ['A', [LATEST], [3, 4, 5], [2, 6]],
  ['A', fromTheStart, [3, 4, 5], [0, 1, 2]],
  ['A', [LATEST], [4, 9, 10], [8]],
  ['A', fromTheStart, [4, 9, 10], [0, 1, 2, 3]],
  ['A', anywhere, [4, 5, 6, 7], []],
  ['A', anywhere, [0, 1, 2, 3, 4, 5, 6, 7], []],
  ['A', anywhere, [0, 1, 4, 7, 9, 10], []],
  ['A', [LATEST], [], [4, 8, 9, 10]],
  ['A', fromTheStart, [], [0, 1, 2, 3, 4, 5]],
  ['B', [LATEST], [], [9, 10]],
  ['B', fromTheStart, [], [0, 1]],
  ['B', [LATEST], [9], [10]],
  ['B', [LATEST], [6], [7]],
  ['B', fromTheStart, [6], [0, 1]],
  ['B', anywhere, [6, 7], []],
  ['B', anywhere, [5], []],
  ['C', [LATEST], [], [1, 6, 7, 8, 9, 10]],
  ['C', fromTheStart, [], [0, 1, 2, 3]],
  ['C', [LATEST], [0, 3], [1, 2]],
  ['C', fromTheStart, [0, 3], [1, 2]],
  ['C', [LATEST], [1, 6, 7], [8, 9, 10]],
  ['C', fromTheStart, [1, 6, 7], [0]],
]

const described = rows.flatMap(([graph, positions, leased, created]) =>
  positions.map(
    (position) => [graph, position.type, leased.join() || 'none', created.join() || 'none', position, leased, created] as const,
  ),
)

describe('the leases that are missing beside existing ones', () => {
  it.each(described)('in graph %s at %s beside %s are %s', (graph, _type, _leased, _created, position, leased, created) => {
    expect(numbersOf(graphs[graph], leased, position)).toEqual(created)
  })

  it('do not count a parent that is listed no more, although it still has a lease: nobody is left to create those of its children', () => {
    const orphan: Shard = { ...(graphA[8] as Shard), parentShardIds: ['shardId-000000000077'] }

    expect(missingLeases([orphan], ['shardId-000000000077'], TRIM_HORIZON).map(({ leaseKey }) => leaseKey)).toEqual([orphan.shardId])
  })

  it('start at the initial position, with the parents and hash keys of their shards', () => {
    const [first] = missingLeases(graphA, [4, 5, 7].map(idOf), LATEST)

    expect(first).toEqual({
      leaseKey: idOf(6),
      checkpoint: at('LATEST'),
      parentShardIds: [idOf(0), idOf(1)],
      hashKeyRange: { startingHashKey: '6', endingHashKey: '7' },
    })
    expect(missingLeases(graphA, [4, 5, 7].map(idOf), AT_TIMESTAMP)[0]?.checkpoint).toEqual(at('AT_TIMESTAMP'))
  })

  it('are in the order in which the shards were born, and not in that of their ids', () => {
    const [old, young] = [graphA[4] as Shard, { ...(graphA[4] as Shard), shardId: idOf(1), startingSequenceNumber: '103' }]
    const huge = { ...young, shardId: idOf(0), startingSequenceNumber: '9'.repeat(56) }

    expect(missingLeases([huge, young, old], [], LATEST).map(({ leaseKey }) => leaseKey)).toEqual([idOf(4), idOf(1), idOf(0)])
  })

  it('leave out the children of a shard that is listed as open', () => {
    const stale = graphA.map((shard) => (shard.shardId === idOf(5) ? { ...shard, closed: false } : shard))

    expect(unexpectedChildShards(stale)).toEqual([idOf(9), idOf(10)])
    expect(numbersOf(stale, [], LATEST)).toEqual([4, 5, 8])
  })

  it('do not look for parents that Kinesis has forgotten', () => {
    const trimmed = graphA.filter(({ shardId }) => numberOf(shardId) > 5 || numberOf(shardId) === 4)

    expect(unexpectedChildShards(trimmed)).toEqual([])
    expect(numbersOf(trimmed, [4], TRIM_HORIZON)).toEqual([6, 7, 9, 10])
    expect(numbersOf(trimmed, [4], LATEST)).toEqual([8, 9, 10])
  })

  it('are none where a lease stands for a shard that is not listed any more, and all open shards have theirs', () => {
    expect(numbersOf([graphA[4] as Shard], [0, 1, 2, 4], TRIM_HORIZON)).toEqual([])
  })

  it('are found in a stream that was resharded thousands of times', () => {
    const chain: Shard[] = Array.from({ length: 5_000 }, (_, n) => ({
      shardId: idOf(n),
      parentShardIds: n === 0 ? [] : [idOf(n - 1)],
      hashKeyRange: { startingHashKey: '0', endingHashKey: lastHashKey },
      startingSequenceNumber: String(n),
      closed: n < 4_999,
    }))

    expect(numbersOf(chain, [], TRIM_HORIZON)).toEqual([0])
    expect(numbersOf(chain, [], LATEST)).toEqual([4_999])
  })
})

/** A random lineage: from a few shards, splits of one open shard and merges of two, some of the oldest forgotten, and leases for some. */
const lineage = fc
  .record({
    roots: fc.integer({ min: 1, max: 5 }),
    reshards: fc.array(fc.record({ merge: fc.boolean(), first: fc.nat(), second: fc.nat() }), { maxLength: 8, size: 'max' }),
    forgotten: fc.nat({ max: 3 }),
    leased: fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }),
    order: fc.infiniteStream(fc.nat()).map((numbers) => [...numbers.take(25)]),
  })
  .map(({ roots, reshards, forgotten, leased, order }) => {
    const shards: Shard[] = []
    const add = (parentShardIds: readonly string[]): void => {
      const n = shards.length
      shards.push({
        shardId: idOf(n),
        parentShardIds,
        hashKeyRange: { startingHashKey: '0', endingHashKey: '1' },
        startingSequenceNumber: String(n),
        closed: false,
      })
    }
    const close = (pick: number): string => {
      const open = shards.filter(({ closed }) => !closed)
      const chosen = open[pick % open.length] as Shard
      shards[numberOf(chosen.shardId)] = { ...chosen, closed: true }
      return chosen.shardId
    }
    for (let n = 0; n < roots; n += 1) add([])
    for (const { merge, first, second } of reshards) {
      if (merge && shards.filter(({ closed }) => !closed).length > 1) add([close(first), close(second)])
      else {
        const parent = close(first)
        add([parent])
        add([parent])
      }
    }
    const listed = shards.filter(({ closed }, n) => !closed || n >= forgotten)
    const shuffled = listed
      .map((shard, n) => ({ shard, rank: order[n] ?? 0 }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ shard }) => shard)
    return { listed, shuffled, leaseKeys: listed.filter((_, n) => leased[n] === true).map(({ shardId }) => shardId) }
  })
const positions = fc.constantFrom(...anywhere)

/** Whether a shard has a lease, or will get one when all of its listed parents have ended. */
function isCovered(shardId: string, shards: readonly Shard[], leased: ReadonlySet<string>): boolean {
  if (leased.has(shardId)) return true
  const parents = shards
    .find((shard) => shard.shardId === shardId)
    ?.parentShardIds.filter((parent) => shards.some((shard) => shard.shardId === parent))
  return parents !== undefined && parents.length > 0 && parents.every((parent) => isCovered(parent, shards, leased))
}

describe('a shard sync', () => {
  it('leaves every open shard with a lease, or below listed parents that are all covered', () => {
    fc.assert(
      fc.property(lineage, positions, ({ listed, leaseKeys }, position) => {
        const after = new Set([...leaseKeys, ...missingLeases(listed, leaseKeys, position).map(({ leaseKey }) => leaseKey)])
        const bare = listed.filter(({ closed, shardId }) => !closed && !isCovered(shardId, listed, after))

        expect(bare).toEqual([])
      }),
    )
  })

  it('finds nothing more to create when it is run again', () => {
    fc.assert(
      fc.property(lineage, positions, ({ listed, leaseKeys }, position) => {
        const created = missingLeases(listed, leaseKeys, position).map(({ leaseKey }) => leaseKey)

        expect(missingLeases(listed, [...leaseKeys, ...created], position)).toEqual([])
      }),
    )
  })

  it('is completed by a second run when the first was cut off half-way', () => {
    fc.assert(
      fc.property(lineage, positions, fc.nat({ max: 8 }), ({ listed, leaseKeys }, position, cut) => {
        const keysOf = (leased: readonly string[]): string[] => missingLeases(listed, leased, position).map(({ leaseKey }) => leaseKey)
        const half = keysOf(leaseKeys).slice(0, cut)
        const after = new Set([...leaseKeys, ...half, ...keysOf([...leaseKeys, ...half])])

        expect(listed.filter(({ closed, shardId }) => !closed && !isCovered(shardId, listed, after))).toEqual([])
      }),
    )
  })

  it('does not depend on the order in which the shards are listed', () => {
    fc.assert(
      fc.property(lineage, positions, ({ listed, shuffled, leaseKeys }, position) => {
        expect(missingLeases(shuffled, leaseKeys.toReversed(), position)).toEqual(missingLeases(listed, leaseKeys, position))
      }),
    )
  })

  it('never creates a lease twice, or one that exists', () => {
    fc.assert(
      fc.property(lineage, positions, ({ listed, leaseKeys }, position) => {
        const created = missingLeases(listed, leaseKeys, position).map(({ leaseKey }) => leaseKey)

        expect(new Set(created).size).toBe(created.length)
        expect(created.filter((key) => leaseKeys.includes(key))).toEqual([])
      }),
    )
  })

  it('creates one generation of each branch, so that children come from their parents and not from the sync', () => {
    fc.assert(
      fc.property(lineage, positions, ({ listed }, position) => {
        const created = missingLeases(listed, [], position).map(({ leaseKey }) => leaseKey)
        const parents = created.flatMap((key) => listed.find(({ shardId }) => shardId === key)?.parentShardIds ?? [])

        expect(parents.filter((parent) => created.includes(parent))).toEqual([])
      }),
    )
  })
})

describe('the leases of an empty table', () => {
  it('are one for every shard that is listed, open or closed, at the initial position', () => {
    const leases = leasesForEmptyTable(graphA.slice(0, 6).toReversed(), TRIM_HORIZON)

    expect(leases.map(({ leaseKey }) => numberOf(leaseKey))).toEqual([0, 1, 2, 3, 4, 5])
    expect(new Set(leases.map(({ checkpoint }) => checkpoint.sequenceNumber))).toEqual(new Set(['TRIM_HORIZON']))
  })

  it.each([LATEST, AT_TIMESTAMP])('at $type carry that sentinel', (position) => {
    const leases = leasesForEmptyTable(
      graphA.filter(({ closed }) => !closed),
      position,
    )

    expect(leases.map(({ leaseKey }) => numberOf(leaseKey))).toEqual([4, 8, 9, 10])
    expect(new Set(leases.map(({ checkpoint }) => checkpoint.sequenceNumber))).toEqual(new Set([position.type]))
  })
})

const range = (startingHashKey: number | string, endingHashKey: number | string) => ({
  startingHashKey: String(startingHashKey),
  endingHashKey: String(endingHashKey),
})
const tiled = [range(0, 1), range(2, 3), range(4, 23), range(6, 23), range(24, lastHashKey)]

describe('hash keys', () => {
  it('are covered by ranges that tile or overlap, in any order', () => {
    fc.assert(fc.property(fc.shuffledSubarray(tiled, { minLength: tiled.length }), (ranges) => coversHashKeys(ranges)))
    expect(coversHashKeys([...tiled, range(24, 45)])).toBe(true)
    expect(coversHashKeys([range(0, lastHashKey)])).toBe(true)
  })

  it('are covered where a wide range hides a narrow one that ends before it', () => {
    expect(coversHashKeys([range(0, 100), range(5, 10), range(101, lastHashKey)])).toBe(true)
    expect(coversHashKeys([range(0, lastHashKey), range(5, 10)])).toBe(true)
  })

  it.each([
    ['between two ranges', [...tiled.slice(0, 4), range(25, lastHashKey)]],
    ['at the start', [range(1, lastHashKey)]],
    ['at the end', [range(0, String((1n << 128n) - 2n))]],
    ['everywhere', []],
  ])('have a hole %s', (_where, ranges) => {
    expect(coversHashKeys(ranges)).toBe(false)
  })

  it('are compared as numbers, not as text and not as floats', () => {
    const nearEnd = (1n << 128n) - 1_000n

    expect(coversHashKeys([range(0, 9), range(10, String(nearEnd)), range(String(nearEnd + 1n), lastHashKey)])).toBe(true)
    expect(coversHashKeys([range(0, 9), range(10, String(nearEnd)), range(String(nearEnd + 2n), lastHashKey)])).toBe(false)
  })
})

describe('leases', () => {
  const leases = tiled.map((hashKeyRange, n) => aLease({ leaseKey: idOf(n), hashKeyRange }))

  it('cover the stream when the unfinished ones cover all hash keys', () => {
    expect(leasesCoverStream(leases)).toBe(true)
    expect(leasesCoverStream([...leases, aLease({ leaseKey: idOf(9), hashKeyRange: range(24, 45), checkpoint: at('SHARD_END') })])).toBe(
      true,
    )
  })

  it('leave a hole where the only lease of a range is finished', () => {
    const finished = (n: number) => leases.map((lease, index) => (index === n ? { ...lease, checkpoint: at('SHARD_END') } : lease))

    expect(leasesCoverStream(finished(2))).toBe(false)
    expect(leasesCoverStream(finished(3))).toBe(true)
    expect(leasesCoverStream(leases.map((lease) => ({ ...lease, checkpoint: at('SHARD_END') })))).toBe(false)
    expect(leasesCoverStream([])).toBe(false)
  })

  it.each<[string, readonly string[], string]>([
    ['at the start', ['5-9'], '-1-5'],
    ['in the middle', ['0-1', '7-9', `8-${lastHashKey}`], '1-7'],
    ['at the end', ['0-6'], '6-340282366920938463463374607431768211456'],
    ['at another end', ['0-7'], '7-340282366920938463463374607431768211456'],
  ])('tell a hole %s from others by the last key below it and the first above it', (_where, ranges, hole) => {
    const rows = ranges.map((text) => aLease({ leaseKey: text, hashKeyRange: range(...(text.split('-') as [string, string])) }))

    expect(holeInLeases(rows)).toBe(hole)
    expect(holeInLeases([...rows, aLease({ leaseKey: idOf(9), hashKeyRange: null })])).toBe('unknown')
  })

  it('are not trusted to cover the stream when one of the unfinished has no hash range', () => {
    expect(leasesCoverStream([...leases, aLease({ leaseKey: idOf(9), hashKeyRange: null })])).toBe(false)
    expect(leasesCoverStream([...leases, aLease({ leaseKey: idOf(9), hashKeyRange: null, checkpoint: at('SHARD_END') })])).toBe(true)
  })
})

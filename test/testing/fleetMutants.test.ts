import { readFile } from 'node:fs/promises'
import { type SimulationOptions, type SimulationReport, simulate as sound } from '@shardwise/testing'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

/** A mistake in the source, and the rules of which a simulation of some early seed finds one violated. */
interface Mutant {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  readonly rules: readonly string[]
  readonly options?: Omit<SimulationOptions, 'seed'>
}

/** More seeds than these are not tried. */
const mostSeeds = 8
const usual: Omit<SimulationOptions, 'seed'> = { workers: 3, shards: 3, durationMs: 120_000 }
const merges = Array.from({ length: 8 }, (_, index) => ({ atMs: 5_000 + index * 20_000, pick: 7 * index, type: 'merge' as const }))
const heartbeats: Omit<SimulationOptions, 'seed'> = { ...usual, leaseMode: 'workerHeartbeat' }
const joins = [{ atMs: 30_000, pick: 0, type: 'join' as const }]
const partitions = [5, 50, 95].map((second) => ({ atMs: second * 1_000, pick: second, type: 'partition' as const, forMs: 30_000 }))
const splits = Array.from({ length: 8 }, (_, index) => ({ atMs: 5_000 + index * 20_000, pick: 7 * index, type: 'split' as const }))

const mutants: readonly Mutant[] = [
  {
    name: 'the table writes to a lease whose counter has moved on',
    file: 'src/adapters/memory/leaseTable.ts',
    from: 'row.leaseCounter !== counter || ',
    to: '',
    rules: ['S1', 'S2'],
  },
  {
    name: 'the table takes a refused write for one that was applied',
    file: 'src/adapters/memory/leaseTable.ts',
    from: '      const { applied, attempts } = calls.write(apply)\n',
    to: '      const { attempts } = calls.write(apply)\n      const applied = true\n',
    rules: ['S1', 'S8'],
    options: { ...usual, lease: { isGracefulLeaseHandoffEnabled: false } },
  },
  {
    name: 'the end of a shard is stored with a lease for one of its two children',
    file: 'src/adapters/memory/leaseTable.ts',
    from: 'parentShardIds, hashKeyRange } of childShards) {',
    to: 'parentShardIds, hashKeyRange } of childShards.slice(0, 1)) {',
    rules: ['S4'],
    options: { ...usual, operations: splits },
  },
  {
    name: 'the table looks at the first parent alone',
    file: 'src/adapters/memory/leaseTable.ts',
    from: 'parentShardIds.find((shardId) => {',
    to: 'parentShardIds.slice(0, 1).find((shardId) => {',
    rules: ['S5'],
    options: { ...usual, shards: 8, operations: merges, faults: { callbackSlow: 0.3, callbackFailed: 0.2 } },
  },
  {
    name: 'the coordinator forgets the parents of a lease it takes',
    file: 'src/machine/leaseCalls.ts',
    from: 'shardId: leaseKey, parentShardIds, acquiredMs',
    to: 'shardId: leaseKey, parentShardIds: [], acquiredMs',
    rules: ['S5'],
    options: { ...usual, operations: splits, faults: { callbackSlow: 0.2 } },
  },
  {
    name: 'the coordinator takes leases before the failover time has passed',
    file: 'src/machine/leasePlan.ts',
    from: 'return stoodStillMs > failoverTimeMillis',
    to: 'return stoodStillMs >= failoverTimeMillis / 10',
    rules: ['L6', 'L1', 'L3'],
    options: { ...usual, faults: false, durationMs: 1_000, lease: { leaseScanIntervalMillis: 1_000 } },
  },
  {
    name: 'the coordinator takes no lease of a worker that died',
    file: 'src/machine/leasePlan.ts',
    from: 'seen === undefined ? 0 : nowMs - seen.sinceMs',
    to: '0',
    rules: ['D2', 'L1'],
    options: { ...usual, faults: false, operations: [{ atMs: 60_000, pick: 0, type: 'crash', downMs: 1_000, sameId: false }] },
  },
  {
    name: 'the coordinator steals from a worker that has just its share',
    file: 'src/machine/leasePlan.ts',
    from: 'count === share && need > 1 ? 1',
    to: 'count === share ? 1',
    rules: ['L6', 'L1'],
    options: { ...usual, shards: 4, faults: false, durationMs: 1_000 },
  },
  {
    name: 'the coordinator never steals',
    file: 'src/machine/leasePlan.ts',
    from: 'steal: take.length > 0',
    to: 'steal: take.length >= 0',
    rules: ['L3'],
    options: { ...usual, faults: false, durationMs: 1_000 },
  },
  {
    name: 'the coordinator deletes the lease of a finished shard before its children have started',
    file: 'src/machine/leasePlan.ts',
    from: 'childShardIds.every(started)',
    to: 'childShardIds.every((key) => byKey.has(key))',
    rules: ['S6'],
    options: { ...usual, operations: splits, faults: { callbackSlow: 0.2 }, lease: { completedLeaseCleanupIntervalMillis: 0 } },
  },
  {
    name: 'the keeper believes in a lease that it could not renew in time',
    file: 'src/machine/leaseKeeper.ts',
    from: "if (event.type === 'timerFired') leave(draft)\n",
    to: '\n',
    rules: ['S8'],
    options: {
      ...usual,
      workers: 2,
      operations: [5, 50, 95, 140, 185].map((second) => ({ atMs: second * 1_000, pick: second, type: 'partition', forMs: 30_000 })),
    },
  },
  {
    name: 'a worker believes in its leases though its heartbeat was not written in time',
    file: 'src/machine/heartbeat.ts',
    from: '  for (const leaseKey of kept) draft.effects.push',
    to: '  for (const leaseKey of kept.slice(kept.length)) draft.effects.push',
    rules: ['S8'],
    options: { ...heartbeats, workers: 2, operations: partitions },
  },
  {
    name: 'the coordinator goes by the counters of leases that are not renewed',
    file: 'src/machine/coordinator.ts',
    from: 'workers: beats ? workers : null',
    to: 'workers: null',
    rules: ['L6', 'L1', 'L3'],
    options: { ...heartbeats, faults: false, durationMs: 1_000 },
  },
  {
    name: 'the coordinator does not notice that another has a lease of its worker',
    file: 'src/machine/keptReview.ts',
    from: 'if (!isOfTenure || holderOf(row)',
    to: 'if (row?.checkpointOwner === null) continue\n    if (!isOfTenure || holderOf(row)',
    rules: ['L1'],
    options: { ...heartbeats, recordsPerSecond: 0, lease: { isGracefulLeaseHandoffEnabled: false }, operations: joins },
  },
  {
    name: 'the coordinator does not notice that another asks for a lease of its worker',
    file: 'src/machine/keptReview.ts',
    from: 'else if (row.leaseOwner !== null',
    to: 'else if (workerId === null && row.leaseOwner !== null',
    rules: ['L1', 'L2', 'L3', 'L6'],
    options: {
      ...heartbeats,
      shards: 6,
      recordsPerSecond: 0,
      faults: false,
      lease: { gracefulLeaseHandoffTimeoutMillis: 600_000 },
      operations: joins,
    },
  },
  {
    name: 'the heartbeats of workers that died are left',
    file: 'src/machine/coordinator.ts',
    from: 'counter === null || !isDead',
    to: 'counter !== null || !isDead',
    rules: ['L7'],
    options: { ...heartbeats, faults: false, operations: [{ atMs: 60_000, pick: 0, type: 'crash', downMs: 1_000, sameId: false }] },
  },
  {
    name: 'a worker that stops leaves its heartbeat',
    file: 'src/machine/coordinator.ts',
    from: "    endHeartbeat(draft)\n    if (draft.state.heartbeat === null) draft.set({ phase: 'stopped' })",
    to: "    draft.set({ phase: 'stopped' })",
    rules: ['L7'],
    options: { ...heartbeats, faults: false, durationMs: 1_000 },
  },
  {
    name: 'the keeper gives a lease up without a release',
    file: 'src/machine/leaseKeeper.ts',
    from: 'function beginRelease(draft: KeeperDraft): void {\n',
    to: 'function beginRelease(draft: KeeperDraft): void {\n  if (draft.state.nextId > 0) {\n    leave(draft)\n    return\n  }\n',
    rules: ['L1', 'L3'],
    options: { ...usual, faults: false, durationMs: 1_000 },
  },
]

type Simulate = (options: SimulationOptions) => Promise<SimulationReport>

/** The simulator with a mistake in its sources. */
async function simulatorWith({ file, from, to }: Pick<Mutant, 'file' | 'from' | 'to'>): Promise<Simulate> {
  let planted = 0
  const { outputFiles } = await build({
    entryPoints: ['src/testing/fleet/simulate.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['@shardwise/source'],
    plugins: [
      {
        name: 'mutant',
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            if (!path.endsWith(file)) return null
            const text = await readFile(path, 'utf8')
            planted += text.split(from).length - 1
            return { contents: text.replace(from, () => to), loader: 'ts' }
          })
        },
      },
    ],
  })
  expect(planted, `places in ${file} that read ${JSON.stringify(from)}`).toBe(1)
  const [bundle] = outputFiles
  const { simulate } = (await import(`data:text/javascript;base64,${Buffer.from(bundle?.contents ?? []).toString('base64')}`)) as {
    simulate: Simulate
  }
  return simulate
}

describe('a simulation finds that', () => {
  it.each(mutants)('$name', async ({ options = usual, rules, ...mutant }) => {
    const simulate = await simulatorWith(mutant)

    expect(rules).toContain(await firstViolation(simulate, options))
    expect(await foundInTheSound(options)).toEqual([])
  })
})

const sounds = new Map<string, Promise<SimulationReport>>()

/** What a simulation without a mistake finds violated, looked for once with the same options. */
async function foundInTheSound(options: Omit<SimulationOptions, 'seed'>): Promise<SimulationReport['violations']> {
  const key = JSON.stringify(options)
  const running = sounds.get(key) ?? sound({ ...options, seed: 1 })
  sounds.set(key, running)
  return (await running).violations
}

/** The rule that the first seed to show a mistake finds violated, and nothing when none of the first seeds shows it. */
async function firstViolation(simulate: Simulate, options: Omit<SimulationOptions, 'seed'>): Promise<string | undefined> {
  for (let seed = 1; seed <= mostSeeds; seed += 1) {
    const { violations } = await simulate({ ...options, seed })
    if (violations[0] !== undefined) return violations[0].rule
  }
  return undefined
}

import { readFileSync } from 'node:fs'
import type { WorkerHealth } from 'shardwise'
import { observeWithMeter } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { answerProbe } from '../../docs/examples/healthProbes.ts'

const page = readFileSync(new URL('../../docs/health.md', import.meta.url), 'utf8')
const health: WorkerHealth = {
  workerId: 'w1',
  phase: 'running',
  pending: null,
  isReady: true,
  isLive: true,
  shards: [
    {
      shardId: 'shardId-000000000000',
      leaseKey: 'shardId-000000000000',
      owner: 'w1',
      state: 'PROCESSING',
      place: 'PROCESSING.processing',
      sinceProgressMs: 1,
      pending: null,
      millisBehindLatest: null,
      attempts: 0,
      sinceRenewalMs: 1,
      isStuck: false,
      isPaused: false,
    },
  ],
}
const asked = async (path: string, changes: Partial<WorkerHealth> = {}) => {
  const answer = answerProbe({ health: () => ({ ...health, ...changes }) }, path)
  return [answer.status, await answer.json()] as const
}

describe('healthProbes.ts', () => {
  it('answers for a worker that runs', async () => {
    expect(await asked('/ready')).toEqual([200, { phase: 'running' }])
    expect(await asked('/live')).toEqual([200, { stuck: [] }])
    expect(await asked('/health')).toEqual([200, health])
  })

  it('says what is wrong', async () => {
    const stuck = health.shards.map((shard) => ({ ...shard, isStuck: true }))

    expect(await asked('/ready', { isReady: false, phase: 'syncing' })).toEqual([503, { phase: 'syncing' }])
    expect(await asked('/live', { isLive: false, shards: stuck })).toEqual([503, { stuck }])
    expect(await asked('/')).toEqual([404, { error: '/: expected /ready, /live or /health' }])
  })
})

describe('the page of health', () => {
  it('names every field', () => {
    const [shard = {}] = health.shards
    const named = [...page.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([\w.]+)`/g)].map(([, name]) => name),
    )

    expect(named).toEqual(expect.arrayContaining([...Object.keys(health), ...Object.keys(shard)]))
  })

  it('names every metric', () => {
    const made: string[] = []
    const instrument = (name: string) => {
      made.push(name)
      return { add() {}, record() {}, addCallback() {} }
    }
    observeWithMeter({ meter: { createCounter: instrument, createHistogram: instrument, createObservableGauge: instrument } })
    const [, table = ''] = page.split('| metric |')
    const named = [...table.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name = '']) => name)

    expect([...named].sort()).toEqual([...made].sort())
  })
})

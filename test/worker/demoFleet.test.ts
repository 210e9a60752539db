import { describe, expect, it } from 'vitest'
import { Handovers } from '../../demo/handovers.ts'
import { handoverLines } from '../../demo/report.ts'

describe('the hand-overs of a fleet', () => {
  it('are the gaps between the owners of a shard, and say who was killed', () => {
    const handovers = new Handovers()
    handovers.enterDelivered('shardId-0', 'worker-1', 0)
    handovers.enterDelivered('shardId-1', 'worker-2', 50)
    handovers.enterDelivered('shardId-0', 'worker-1', 100)
    handovers.enterDelivered('shardId-0', 'worker-2', 350)
    handovers.enterKilled('worker-2')
    handovers.enterDelivered('shardId-1', 'worker-3', 4_050)

    expect(handovers.seen).toEqual([
      { shardId: 'shardId-0', from: 'worker-1', to: 'worker-2', gapMs: 250, wasKilled: false },
      { shardId: 'shardId-1', from: 'worker-2', to: 'worker-3', gapMs: 4_000, wasKilled: true },
    ])
    expect(handoverLines(handovers.seen).slice(2)).toEqual([
      '  shardId-0  worker-1  worker-2  0.25 s  it gave the shard away',
      '  shardId-1  worker-2  worker-3  4.00 s  it was killed',
    ])
  })

  it('are said to be none', () => {
    expect(handoverLines([])).toEqual(['No shard changed hands'])
  })
})

import { effectTable } from '@shardwise/effects'
import { replay, type ShardEvent } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { type Branch, chartBranches, chartStates } from '../../docs/diagram/chart.ts'
import { effectsOfActions } from '../../docs/diagram/effectsOfActions.ts'

describe('the effects of an action', () => {
  const effects = effectsOfActions()

  it('are read off the action and what it uses', () => {
    expect(effects.get('leave')).toEqual(['dropBatch', 'cancel'])
    expect(effects.get('startIdleTimer')).toEqual(['startTimer'])
    expect(effects.get('requestCheckpoint')).toEqual(['writeCheckpoint', 'settleCheckpoint'])
    expect(effects.get('countFailure')).toEqual([])
  })

  it('are known for every action of the chart', () => {
    const entries = chartStates().states.flatMap(({ entry, states }) => [...entry, ...states.flatMap((state) => state.entry)])
    const named = [...entries, ...chartBranches().flatMap(({ actions }) => actions)]

    expect(named.filter((action) => !effects.has(action))).toEqual([])
  })

  it('are effects of the table', () => {
    expect([...effects.values()].flat().filter((effect) => !Object.hasOwn(effectTable, effect))).toEqual([])
  })

  it('hold for the life of a shard: no step starts what the page does not announce', () => {
    const steps = replay({ shardId: 'shardId-000000000000', token: 1 }, aLife)
    const unannounced = steps.slice(1).flatMap(([after, started], index) => {
      const before = steps[index]?.[0]
      const announced = announcedEffects(pathsOf(before?.value), aLife[index]?.type ?? '', effects)
      return started.filter(({ type }) => !announced.has(type)).map(({ type }) => `${JSON.stringify(after.value)} ${type}`)
    })

    expect(steps.at(-1)?.[0].context.outcome).toBe('leaseLost')
    expect(unannounced).toEqual([])
  })
})

/** A consumer that checkpoints, loses its lease while it processes, and is told so. */
const aLife: readonly ShardEvent[] = [
  { type: 'parentShardsCompleted', id: 1 },
  { type: 'checkpointRead', id: 2, checkpoint: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 }, pendingCheckpoint: null },
  { type: 'shardOpened', id: 3, openedAtMs: 0 },
  { type: 'initialized', id: 4 },
  { type: 'throttled', id: 5 },
  { type: 'timerFired', id: 6, nowMs: 0 },
  {
    type: 'recordsRead',
    id: 7,
    batch: {
      batchId: 'b1',
      count: 1,
      bytes: 1,
      first: { sequenceNumber: '10', subSequenceNumber: 0 },
      last: { sequenceNumber: '10', subSequenceNumber: 0 },
      millisBehindLatest: 0,
      atShardEnd: false,
      childShards: [],
    },
  },
  { type: 'checkpointRequested', request: 'r1', position: null },
  { type: 'checkpointRequested', request: 'r2', position: null },
  { type: 'checkpointRefused', id: 9 },
  { type: 'recordsProcessed', id: 8 },
  { type: 'leaseLostNotified', id: 10 },
  { type: 'shardClosed', id: 11 },
]

const pathsOf = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : Object.entries(value as Readonly<Record<string, string>>).map(([state, subState]) => `${state}.${subState}`)

/** What the page says may start when an event comes in a state: actions of its branches, and the entries of where they lead, one after another. */
function announcedEffects(paths: readonly string[], event: string, effects: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const states = chartStates().states.flatMap((state) => [state, ...state.states])
  const entered = new Set<string>()
  const actions: string[] = []
  const follow = ({ target, actions: taken }: Branch): void => {
    actions.push(...taken)
    if (target === null || entered.has(target)) return
    entered.add(target)
    const state = states.find(({ path }) => path === target)
    if (typeof state?.initial === 'string') follow({ source: target, event: 'always', guard: null, target: state.initial, actions: [] })
    actions.push(...(state?.entry ?? []))
    for (const branch of chartBranches()) if (branch.source === target && branch.event === 'always') follow(branch)
  }
  for (const branch of chartBranches()) {
    if (['', ...paths].includes(branch.source) && [event, 'always'].includes(branch.event)) follow(branch)
  }
  return new Set(actions.flatMap((action) => effects.get(action) ?? []))
}

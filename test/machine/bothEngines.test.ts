import { type ShardConsumerSnapshot, type ShardEvent, shardConsumer, start } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import { describe, expect, it } from 'vitest'
import { checkpointStories } from '../scenarios/checkpointStories.ts'
import { lifeStories } from '../scenarios/lifeStories.ts'
import { play } from '../scenarios/play.ts'
import { shardEndStories } from '../scenarios/shardEndStories.ts'
import { shutdownStories } from '../scenarios/shutdownStories.ts'
import { sourceStories } from '../scenarios/sourceStories.ts'
import { aShard } from '../scenarios/story.ts'
import { arrivals } from './arrivals.ts'

const stories = [
  ...[...lifeStories, ...sourceStories, ...checkpointStories, ...shutdownStories, ...shardEndStories].map(({ name, input, moves }) => ({
    name,
    input,
    moves,
  })),
  ...arrivals.map(({ where, moves, input }) => ({ name: `a consumer ${where}`, input: { ...aShard, ...input }, moves })),
]

const eventsOf = (story: (typeof stories)[number]) => play(story).flatMap(({ event }) => (event === null ? [] : [event]))
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

describe.each(stories)('$name', (story) => {
  it('goes the same way, with the same memory and effects, when the compiled engine takes it', () => {
    const steps = compiled.replay(story.input, eventsOf(story))

    expect(steps).toEqual(play(story).map(({ after, effects }) => [json(after), effects]))
  })

  it('goes on from JSON as if nothing had happened, and never changes what was handed in', () => {
    let snapshot: ShardConsumerSnapshot = compiled.start(story.input)[0]
    for (const event of eventsOf(story)) {
      const stored = json(snapshot)
      const [fromJson] = compiled.step(stored, event)
      const [next] = compiled.step(snapshot, event)

      expect(json(fromJson)).toEqual(json(next))
      expect(json(snapshot)).toEqual(stored)
      snapshot = next
    }
    const last = play(story).at(-1)?.after

    expect(compiled.shardConsumer.isDone(snapshot)).toBe(last?.status === 'done')
    expect(last === undefined || shardConsumer.isDone(last)).toBe(last?.status === 'done')
  })
})

describe('the compiled engine', () => {
  it('gives back the very value of a state that stays, and the very snapshot when nothing happens', () => {
    const [first] = compiled.start(aShard)
    const unknown = { type: 'wokenUp' } as unknown as ShardEvent

    expect(compiled.step(first, unknown)).toEqual([first, []])
    expect(compiled.step(first, unknown)[0]).toBe(first)
    expect(compiled.step(first, { type: 'shutdown', reason: 'REQUESTED' })[0].value).toBe(first.value)
    expect(compiled.step(json(first), unknown)[0].value).toEqual(first.value)
  })
})

describe('either engine', () => {
  it.each([{ PROCESSING: 'sleeping' }, 'PROCESSING', 'toString'])('refuses a snapshot whose value %j is no whole state', (value) => {
    const [first] = start(aShard)

    for (const { step } of [shardConsumer, compiled]) {
      expect(() => step({ ...first, value }, { type: 'shutdown', reason: 'REQUESTED' })).toThrow(Error)
    }
    expect(() => compiled.step({ ...first, value }, { type: 'shutdown', reason: 'REQUESTED' })).toThrow(
      `value: expected a state of the machine, got ${JSON.stringify(value)}`,
    )
  })
})

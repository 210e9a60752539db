/** Plays stories with an engine and writes down all that it does. Part of every bundle: it uses nothing but the language. */
import type { ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import type { Engine } from './engines.ts'

/** A story as what it tells the machine. */
export interface StoryEvents {
  readonly name: string
  readonly input: ShardConsumerInput
  readonly events: readonly ShardEvent[]
}

type Taken = readonly [ShardConsumerSnapshot, readonly ShardEffect[]]
type Way = (engine: Engine, story: StoryEvents) => readonly Taken[]

const readAnew = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** Takes every step from the snapshot of the one before. */
export const stepByStep: Way = (engine, { input, events }) => {
  let taken = engine.start(input)
  const all = [taken]
  for (const event of events) {
    taken = engine.step(taken[0], event)
    all.push(taken)
  }
  return all
}

/** Reads every snapshot, event and input from its JSON before it is used, as a runtime does that keeps them in a store. */
const throughJson: Way = (engine, { input, events }) => {
  const [started, asked] = engine.start(readAnew(input))
  let snapshot = readAnew(started)
  const all: Taken[] = [[snapshot, asked]]
  for (const event of events) {
    const [after, effects] = engine.shardConsumer.step(snapshot, readAnew(event))
    snapshot = readAnew(after)
    all.push([snapshot, effects])
  }
  return all
}

const ways: Readonly<Record<string, Way>> = {
  'step by step': stepByStep,
  'through JSON': throughJson,
  replayed: (engine, { input, events }) => engine.replay(input, events),
}

/** How many times each story is played. */
export const wayCount = Object.keys(ways).length

/**
 * What an engine does with the stories, played in every way: events after `>`, snapshots after `=`, effects after `!`, effects that are outstanding after
 * `?`, those that a restored snapshot asks for after `~`, each as JSON in a line of its own.
 */
export function reportOf(engine: Engine, stories: readonly StoryEvents[]): string {
  const lines: string[] = []
  for (const [name, way] of Object.entries(ways)) {
    for (const story of stories) {
      lines.push(`# ${story.name}, ${name}`)
      for (const [index, taken] of way(engine, story).entries())
        lines.push(...linesOf(engine, story.events[index - 1] ?? story.input, taken))
    }
  }
  return `${lines.join('\n')}\n`
}

/** The lines of a report that are effects. */
export const effectsIn = (report: string): string =>
  report
    .split('\n')
    .filter((line) => line.startsWith('! '))
    .join('\n')

function linesOf(engine: Engine, told: ShardEvent | ShardConsumerInput, [snapshot, effects]: Taken): readonly string[] {
  const marked = (mark: string, values: readonly unknown[]): readonly string[] => values.map((value) => `${mark} ${JSON.stringify(value)}`)
  return [
    ...marked('>', [told]),
    ...marked('=', [snapshot, ...(engine.shardConsumer.isDone(snapshot) ? ['done'] : [])]),
    ...marked('!', effects),
    ...marked('?', engine.outstanding(snapshot)),
    ...marked('~', engine.restore(snapshot)[1]),
  ]
}

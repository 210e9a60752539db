import type { ConsumerStateValue, ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import { expectEqual } from '../expectEqual.ts'
import { aFunction, aList, anObject, aText, either, expectMembers, type Rules } from '../rules.ts'
import { type Engine, expectEngine } from '../trace.ts'
import type { Path } from './paths.ts'

type Maybe<T> = T | Promise<T>

/** What embeds a shard consumer: it is started, fed events, and says what it asked for. Its effects are to be reported, and not carried out. */
export interface PathRuntime {
  /** Starts a new consumer, and answers with its first effects. */
  start(input: ShardConsumerInput): Maybe<readonly ShardEffect[]>
  /** Feeds an event to it, and answers with what the step asks for. */
  send(event: ShardEvent): Maybe<readonly ShardEffect[]>
  /** The state that it is in. */
  value(): Maybe<ConsumerStateValue>
}

const runtimeRules: Rules = { start: aFunction, send: aFunction, value: aFunction }
const pathRules: Rules = { name: aText, input: anObject, start: anObject, steps: aList }
const expectedRules: Rules = { value: either(aText, anObject), effects: aList }
const stepRules: Rules = { name: aText, event: anObject, ...expectedRules }

/** A path may come from a file: what it has not got is not the fault of the runtime. */
function expectPath(path: Path): void {
  expectMembers('path', path, pathRules)
  expectMembers('path.start', path.start, expectedRules)
  for (const [index, step] of path.steps.entries()) expectMembers(`path.steps[${index}]`, step, stepRules)
}

/**
 * Takes a path with a runtime. @throws Error that names the step whose effects or state differ, with both, or that the runtime threw at; and one that names the
 * member that a path or a runtime has not got, before the runtime is started.
 */
export async function replayPath(path: Path, runtime: PathRuntime): Promise<void> {
  expectPath(path)
  expectMembers('runtime', runtime, runtimeRules)
  const { name, input, start, steps } = path
  await checked(`${name}: start`, start, () => runtime.start(input))
  for (const [index, step] of steps.entries()) {
    await checked(`${name}: step ${index + 1}, ${step.name}`, step, () => runtime.send(step.event))
  }

  async function checked(what: string, expected: Path['start'], run: () => Maybe<readonly ShardEffect[]>): Promise<void> {
    let effects: readonly ShardEffect[]
    let value: ConsumerStateValue
    try {
      effects = await run()
      value = await runtime.value()
    } catch (cause) {
      throw new Error(`${what}: the runtime threw ${String(cause)}`, { cause })
    }
    expectEqual(effects, expected.effects, `${what}: effects`)
    expectEqual(value, expected.value, `${what}: state`)
  }
}

/** The pure machine as a runtime. @throws Error where `engine` is none. */
export function pureRuntime(engine: Engine): PathRuntime {
  expectEngine(engine)
  let snapshot: ShardConsumerSnapshot | undefined
  return {
    start(input) {
      const [first, effects] = engine.start(input)
      snapshot = first
      return effects
    },
    send(event) {
      const [after, effects] = engine.step(started(), event)
      snapshot = after
      return effects
    },
    value: () => started().value,
  }

  function started(): ShardConsumerSnapshot {
    if (snapshot === undefined) throw new Error('send: expected a consumer that was started')
    return snapshot
  }
}

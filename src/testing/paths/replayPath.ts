import type { ConsumerStateValue, ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import { expectEqual } from '../expectEqual.ts'
import type { Engine } from '../trace.ts'
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

/** Takes a path with a runtime. @throws Error that names the step whose effects or state differ, with both, or that the runtime threw at. */
export async function replayPath({ name, input, start, steps }: Path, runtime: PathRuntime): Promise<void> {
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

/** The pure machine as a runtime. */
export function pureRuntime(engine: Engine): PathRuntime {
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

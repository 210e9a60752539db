import type { ShardConsumerEngine, ShardConsumerSnapshot } from '@shardwise/machine'
import { shardConsumer } from '@shardwise/machine/compiled'
import { invariants } from '../invariants/invariants.ts'
import type { Trace, TraceStep } from '../trace.ts'
import type { Dice } from './dice.ts'
import type { Ledger } from './ledger.ts'
import type { Surroundings } from './network.ts'

/** How long a trace is that is held to the invariants: they take longer, the longer it is. */
const mostSteps = 150
/** How many traces of a simulation are. */
const mostTraces = 6

interface Recorded extends Trace {
  readonly steps: TraceStep[]
}

/**
 * The compiled engine of shard consumers, watched: some consumers of a fleet, the first ones and some later ones, are held to the invariants of shard
 * consumers, and now and then one hears an answer twice, the second time of which nothing may change.
 */
export class WatchedEngine {
  readonly #around: Surroundings
  readonly #ledger: Ledger
  readonly #open = new Set<Recorded>()
  #chosen = 0

  constructor(around: Surroundings, ledger: Ledger) {
    this.#around = around
    this.#ledger = ledger
  }

  /** The engine for one worker. */
  engine(dice: Dice): ShardConsumerEngine {
    const traces = new WeakMap<ShardConsumerSnapshot, Recorded>()
    return {
      ...shardConsumer,
      start: (input) => {
        const [after, effects] = shardConsumer.start(input)
        const isLate = this.#around.time.nowMs > 30_000
        if (this.#chosen < (isLate ? mostTraces : mostTraces / 3)) {
          this.#chosen += 1
          const trace: Recorded = { input, steps: [{ event: null, before: null, after, effects }] }
          this.#open.add(trace)
          traces.set(after, trace)
        }
        return [after, effects]
      },
      step: (before, event) => {
        const [after, effects] = shardConsumer.step(before, event)
        const trace = traces.get(before)
        if (trace !== undefined) {
          trace.steps.push({ event, before, after, effects })
          traces.delete(before)
          if (after.status !== 'done' && trace.steps.length < mostSteps) traces.set(after, trace)
          else this.#judge(trace)
        }
        if ('id' in event && !this.#around.calm && dice.chance(this.#around.faults.answerRepeated)) {
          const [again, more] = shardConsumer.step(after, event)
          if (again !== after || more.length > 0) {
            this.#ledger.violate('I16', before.context.leaseKey, `${event.type} #${event.id} changed something the second time`)
          }
        }
        return [after, effects]
      },
    }
  }

  /** Judges the consumers that still run. */
  close(): void {
    for (const trace of this.#open) this.#judge(trace)
  }

  #judge(trace: Recorded): void {
    this.#open.delete(trace)
    for (const { number, name, check } of invariants) {
      for (const wrong of check(trace, shardConsumer)) this.#ledger.violate(`I${number}`, trace.input.shardId, `${name}: ${wrong}`)
    }
  }
}

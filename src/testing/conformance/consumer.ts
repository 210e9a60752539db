import { type AnswerBody, type AnsweredEffectType, type EffectOf, isAnswered, type Step } from '@shardwise/effects'
import {
  outstanding,
  type ShardConsumerInput,
  type ShardConsumerSnapshot,
  type ShardEffect,
  type ShardEvent,
  shardConsumer,
  start,
  step,
} from '@shardwise/machine'
import { expectEqual } from '../expectEqual.ts'
import { Bench, type Handle } from './bench.ts'
import { type AwaitedEffect, aBatch, goodAnswer, input, requestDuring } from './goodWorld.ts'
import type { Runtime } from './runtime.ts'

type StartedSnapshot = readonly [ShardConsumerSnapshot, readonly ShardEffect[]]
/** How a consumer begins; everything of it may be left out. */
interface Beginning {
  readonly given?: ShardConsumerInput
  readonly from?: StartedSnapshot
  readonly handle?: Handle | undefined
  readonly observe?: (step: Step<unknown, ShardEvent, ShardEffect>) => void
}
type AnsweredByShard = Extract<ShardEffect['type'], AnsweredEffectType>

/**
 * A shard consumer run by the runtime under test, and beside it the same one stepped by hand. After every event both must have started the same effects in
 * the same order.
 */
export class ConsumerBench extends Bench {
  /** The steps that the observer saw. */
  readonly observed: Step<unknown, ShardEvent, ShardEffect>[] = []
  /** The steps taken by hand, as the observer must see them. */
  readonly expectedSteps: Step<unknown, ShardEvent, ShardEffect>[] = []
  readonly #expected: ShardEffect[] = []
  readonly #cancelled: number[] = []
  readonly #abortsToo: boolean
  readonly #out: ShardEffect[] = []
  #model: ShardConsumerSnapshot | undefined

  constructor(runtime: Runtime) {
    super(runtime)
    this.#abortsToo = runtime.can.includes('aborts')
  }

  /** The consumer as it must stand now. */
  get snapshot(): ShardConsumerSnapshot {
    if (this.#model === undefined) throw new Error('bench: no consumer runs yet')
    return this.#model
  }

  /** Begins with a fresh consumer, or with a restored one. */
  begin({ given = input, from = start(given), handle, observe }: Beginning = {}): void {
    const [snapshot, effects] = from
    this.#note(null, null, snapshot, effects)
    this.run({
      machine: shardConsumer,
      start: from,
      input: given,
      handle,
      observe: (observed) => {
        this.observed.push(observed)
        observe?.(observed)
      },
    })
  }

  /** Takes the step by hand that the runtime is to take as well. What the event answers is out no more. */
  expectStep(event: ShardEvent): void {
    const before = this.snapshot
    const answered = this.#out.findIndex((effect) => 'id' in event && 'id' in effect && effect.id === event.id)
    if (answered !== -1) this.#out.splice(answered, 1)
    const [after, effects] = step(before, event)
    this.#note(event, before, after, effects)
  }

  /** Sends an event from outside, and compares. */
  async tell(event: ShardEvent): Promise<void> {
    this.expectStep(event)
    this.send(event)
    await this.compare()
  }

  /** Answers the oldest effect of that type that is out, and compares. `meanwhile` is what the handlers send while that step is being taken. */
  async reply<K extends AnsweredByShard>(type: K, body: AnswerBody<K>, meanwhile: readonly ShardEvent[] = []): Promise<void> {
    const { id } = this.#oldest(type)
    for (const event of [{ ...body, id } as unknown as ShardEvent, ...meanwhile]) this.expectStep(event)
    this.answer(id, body)
    await this.compare()
  }

  /** Gives an effect that is out the answer of a world in which all goes well, and compares. */
  async replyTo(effect: AwaitedEffect): Promise<void> {
    await this.reply(effect.type, goodAnswer(effect))
  }

  /** Rejects the oldest effect of that type that is out, and compares. */
  async reject(type: AnsweredByShard, error: Error): Promise<void> {
    const { id } = this.#oldest(type)
    this.expectStep({ type: 'effectFailed', id, error: { name: error.name, message: error.message } })
    this.fail(id, error)
    await this.compare()
  }

  /** @throws Error when the runtime has not started what the machine asked for, or more than that. */
  async compare(): Promise<void> {
    await this.idle()
    expectSame(this.started, this.#expected, 'effect')
    if (this.#abortsToo) expectEqual(this.aborted, this.#cancelled, 'effects aborted')
  }

  #note(
    event: ShardEvent | null,
    before: ShardConsumerSnapshot | null,
    after: ShardConsumerSnapshot,
    effects: readonly ShardEffect[],
  ): void {
    this.#model = after
    this.expectedSteps.push({ event, before, after, effects })
    for (const effect of effects) {
      if (effect.type === 'cancel') {
        this.#cancelled.push(effect.id)
        continue
      }
      this.#expected.push(effect)
      if (isAnswered(effect.type)) this.#out.push(effect)
    }
  }

  #oldest(type: AnsweredByShard): EffectOf<AnsweredByShard> {
    const effect = this.#out.find((each) => each.type === type)
    if (effect === undefined || !('id' in effect)) throw new Error(`bench: no ${type} is out`)
    return effect as EffectOf<AnsweredByShard>
  }
}

/** Compares two lists and says where they differ first. */
export function expectSame(actual: readonly unknown[], expected: readonly unknown[], what: string): void {
  for (let index = 0; index < Math.max(actual.length, expected.length); index += 1) {
    expectEqual(actual[index] ?? 'none', expected[index] ?? 'none', `${what} ${index + 1}`)
  }
}

/** Takes a fresh consumer to the initializing of its processor. */
export async function untilInitializing(bench: ConsumerBench, handle?: Handle, given = input): Promise<void> {
  bench.begin({ given, handle })
  await bench.compare()
  await bench.reply('checkParentShards', { type: 'parentShardsCompleted' })
  await bench.reply('readCheckpoint', {
    type: 'checkpointRead',
    checkpoint: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 },
    pendingCheckpoint: null,
  })
  await bench.reply('openShard', { type: 'shardOpened', openedAtMs: 1_700_000_000_000 })
}

/** Takes a fresh consumer to its first read. */
export async function untilReading(bench: ConsumerBench, handle?: Handle, given = input): Promise<void> {
  await untilInitializing(bench, handle, given)
  await bench.reply('initialize', { type: 'initialized' })
}

/** Takes a fresh consumer to the processing of its first batch. */
export async function untilProcessing(bench: ConsumerBench, handle?: Handle): Promise<void> {
  await untilReading(bench, handle)
  await bench.reply('readRecords', { type: 'recordsRead', batch: aBatch(0, 9) })
}

/** Leads a consumer to its end, one event at a time, and hands every snapshot on the way to `visit`. */
export async function liveOn(bench: ConsumerBench, visit: (snapshot: ShardConsumerSnapshot) => void = () => undefined): Promise<void> {
  const asked = new Set<string>()
  while (bench.snapshot.status === 'active') {
    visit(bench.snapshot)
    const [task, write] = outstanding(bench.snapshot) as readonly AwaitedEffect[]
    if (task === undefined) throw new Error('life: the consumer waits for nothing')
    const request = requestDuring(task)
    if (request !== null && !asked.has(request)) {
      asked.add(request)
      await bench.tell({ type: 'checkpointRequested', request, position: null })
    } else await bench.replyTo(write ?? task)
  }
}

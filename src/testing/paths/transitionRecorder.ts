import { type ShardConsumerInput, type ShardConsumerSnapshot, type ShardEvent, shardConsumerMachine } from '@shardwise/machine'
import { createActor, type InspectionEvent } from 'xstate'
import { type Engine, expectEngine } from '../trace.ts'

type StateNode = typeof shardConsumerMachine.root
type Transition = StateNode['always'] extends readonly (infer T)[] | undefined ? T : never
type Step = ReturnType<Engine['step']>

const nodesFrom = (node: StateNode): readonly StateNode[] => [node, ...Object.values(node.states).flatMap((child) => nodesFrom(child))]

/** Every transition of the definition with its name: state, event, branch and guard; the eventless ones are on "always". */
function namedTransitions(): ReadonlyMap<Transition, string> {
  const names = new Map<Transition, string>()
  for (const node of nodesFrom(shardConsumerMachine.root)) {
    const place = node.id.replace(/^shardConsumer\.?/, '') || 'root'
    const always = (node.always ?? []) as readonly Transition[]
    for (const [type, branches] of [...(node.transitions as ReadonlyMap<string, readonly Transition[]>), ['always', always] as const]) {
      for (const [index, transition] of branches.entries()) {
        const guard = typeof transition.guard === 'string' ? ` [${transition.guard}]` : ''
        names.set(transition, `${place} on ${type}, branch ${index + 1}${guard}`)
      }
    }
  }
  return names
}

/** An engine that passes on to another, and notes which transitions of the statechart XState takes for the same steps. */
export class TransitionRecorder implements Engine {
  /** The transitions of the definition: state, event, branch and guard, as `PROCESSING.idling on shutdown, branch 1 [leaseIsLost]`. */
  readonly all: readonly string[]
  readonly taken = new Set<string>()
  readonly #engine: Engine
  readonly #names = namedTransitions()
  readonly #looked = new Set<string>()
  readonly #scope: Parameters<typeof shardConsumerMachine.transition>[2]

  constructor(engine: Engine) {
    expectEngine(engine)
    this.#engine = engine
    this.all = [...this.#names.values()]
    const inspect = (event: InspectionEvent): void => {
      if (event.type === '@xstate.microstep') for (const transition of event._transitions) this.#note(transition as Transition)
    }
    const self = createActor(shardConsumerMachine, { input: { shardId: 'shardId-000000000000', token: 0 }, inspect })
    const nothing = (): void => undefined
    const { id, sessionId, system } = self
    const hands = { logger: nothing, defer: nothing, emit: nothing, stopChild: nothing, actionExecutor: nothing }
    this.#scope = { self, id, sessionId, system, ...hands }
  }

  start(input: ShardConsumerInput): Step {
    return this.#engine.start(input)
  }

  step(before: ShardConsumerSnapshot, event: ShardEvent): Step {
    const taken = this.#engine.step(before, event)
    if (before.status === 'active' && this.taken.size < this.all.length) this.#look(before, event, taken)
    return taken
  }

  /** The transitions of the definition that no step took. */
  untaken(): readonly string[] {
    return this.all.filter((name) => !this.taken.has(name))
  }

  /** XState takes ten times longer to tell how it went than to go: of steps that look alike it is asked once. */
  #look({ value, context, status }: ShardConsumerSnapshot, event: ShardEvent, [after, effects]: Step): void {
    const { reason, resume, checkpoint, write, options } = context
    const ends = [checkpoint?.sequenceNumber === 'SHARD_END', write === null, options.missedShardEndCheckpoint]
    const led = [after.value, after.context.reason, after.context.replay, effects.map(({ type }) => type)]
    const looks = JSON.stringify([value, event.type, reason, resume, ends, led])
    if (this.#looked.has(looks)) return
    this.#looked.add(looks)
    const chart = shardConsumerMachine.resolveState({ value, context: { memory: context }, status })
    shardConsumerMachine.transition(chart, event, this.#scope)
  }

  #note(transition: Transition): void {
    const name = this.#names.get(transition)
    if (name === undefined)
      throw new Error(`transition: one from ${transition.source.id} on ${transition.eventType} is not in the definition`)
    this.taken.add(name)
  }
}

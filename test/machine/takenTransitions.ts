import { type ShardConsumerInput, type ShardConsumerSnapshot, type ShardEvent, shardConsumerMachine, start, step } from '@shardwise/machine'
import { createActor, type InspectionEvent, type SnapshotFrom } from 'xstate'

type Chart = SnapshotFrom<typeof shardConsumerMachine>
type StateNode = typeof shardConsumerMachine.root
type Transition = StateNode['always'] extends readonly (infer T)[] | undefined ? T : never

let seen: Transition[] = []

const scope: Parameters<typeof shardConsumerMachine.transition>[2] = (() => {
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.microstep') seen.push(...(event._transitions as readonly Transition[]))
  }
  const self = createActor(shardConsumerMachine, { input: { shardId: 'shardId-000000000000', token: 0 }, inspect })
  const nothing = (): void => undefined
  return {
    self,
    id: self.id,
    sessionId: self.sessionId,
    system: self.system,
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: nothing,
  }
})()

const nodes = (node: StateNode): readonly StateNode[] => [node, ...Object.values(node.states).flatMap((child) => nodes(child))]

const names = new Map<Transition, string>()
for (const node of nodes(shardConsumerMachine.root)) {
  const lists: readonly (readonly [string, readonly Transition[]])[] = [
    ...([...node.transitions] as [string, Transition[]][]),
    ...(node.always === undefined ? [] : [['always', node.always as readonly Transition[]] as const]),
  ]
  for (const [type, list] of lists) {
    for (const [index, transition] of list.entries()) {
      const guard = typeof transition.guard === 'string' ? ` [${transition.guard}]` : ''
      names.set(transition, `${node.id.replace(/^shardConsumer\.?/, '') || 'root'} on ${type}, branch ${index + 1}${guard}`)
    }
  }
}

/** The name of every transition of the machine's definition: state, event, branch and guard. */
export const allTransitions: readonly string[] = [...names.values()]

/** Takes steps, and notes the transitions that XState takes for them, eventless ones included. */
export class TransitionRecorder {
  readonly taken = new Set<string>()
  readonly #charts = new WeakMap<ShardConsumerSnapshot, Chart>()

  /** Starts a consumer whose steps can be recorded. */
  start(input: ShardConsumerInput): ShardConsumerSnapshot {
    const [first] = start(input)
    this.#charts.set(first, shardConsumerMachine.getInitialSnapshot(scope, input))
    return first
  }

  /** @throws Error for a snapshot that was not made here. */
  step(before: ShardConsumerSnapshot, event: ShardEvent): ShardConsumerSnapshot {
    const [after] = step(before, event)
    const chart = this.#charts.get(before)
    if (chart === undefined) throw new Error('snapshot: expected one that this recorder made')
    if (before.status === 'done') {
      this.#charts.set(after, chart)
      return after
    }
    seen = []
    const moved = shardConsumerMachine.transition(chart, event, scope) as Chart
    for (const transition of seen) this.taken.add(nameOf(transition))
    if (after !== before) this.#charts.set(after, moved)
    return after
  }
}

function nameOf(transition: Transition): string {
  const name = names.get(transition)
  if (name === undefined)
    throw new Error(`transition: one from ${transition.source.id} on ${transition.eventType} is not in the definition`)
  return name
}

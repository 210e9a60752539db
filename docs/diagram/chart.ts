import { shardConsumerMachine } from '@shardwise/machine'

/** A state of the chart. `path` is its name as in a snapshot, joined by a dot; `initial` is the path of the sub-state it is entered by. */
export interface ChartState {
  readonly path: string
  readonly description: string
  readonly tags: readonly string[]
  readonly entry: readonly string[]
  readonly initial: string | null
  readonly final: boolean
  readonly states: readonly ChartState[]
}

/** One branch of the chart, in the order in which branches are tried. Without a target the consumer stays where it is, and nothing is entered. */
export interface Branch {
  readonly source: string
  /** The event; `always` for a branch that is taken without one, as soon as its guard holds. */
  readonly event: string
  readonly guard: string | null
  readonly target: string | null
  readonly actions: readonly string[]
}

/** The path of the chart as a whole, whose branches hold in every state. */
export const everyState = ''

type StateNode = typeof shardConsumerMachine.root
type Transition = NonNullable<StateNode['always']>[number]

/** The states of the shard consumer, below a root whose path is empty. @throws Error when the machine holds what the page does not show. */
export function chartStates(node: StateNode = shardConsumerMachine.root): ChartState {
  const path = node.path.join('.')
  refuseUndrawable(node, path)
  return {
    path,
    description: node.description ?? '',
    tags: node.tags,
    entry: node.entry.map((action) => nameOf(action, path)),
    initial: node.type === 'compound' ? onlyTarget(node.initial.target, path) : null,
    final: node.type === 'final',
    states: Object.values(node.states).map((state) => chartStates(state)),
  }
}

/** Every branch of the shard consumer: those of the root first, then state by state. */
export function chartBranches(node: StateNode = shardConsumerMachine.root): readonly Branch[] {
  const own = [...node.transitions].flatMap(([event, transitions]) => transitions.map((transition) => branchOf(event, transition)))
  const always = (node.always ?? []).map((transition) => branchOf('always', transition))
  return [...own, ...always, ...Object.values(node.states).flatMap((state) => chartBranches(state))]
}

function branchOf(event: string, { source, guard, target, actions }: Transition): Branch {
  const path = source.path.join('.')
  return {
    source: path,
    event,
    guard: guard === undefined ? null : nameOf(guard, path),
    target: onlyTarget(target, path),
    actions: actions.map((action) => nameOf(action, path)),
  }
}

function refuseUndrawable(node: StateNode, path: string): void {
  const undrawable = { exit: node.exit, invoke: node.invoke, after: node.after }
  for (const [what, found] of Object.entries(undrawable)) {
    if (found.length > 0) throw new Error(`${path}: expected a state without ${what}, which the diagram does not show`)
  }
  if (node.type === 'parallel' || node.type === 'history') throw new Error(`${path}: expected no ${node.type} state`)
}

function onlyTarget(targets: readonly { readonly path: readonly string[] }[] | undefined, source: string): string | null {
  if (targets === undefined) return null
  const [target, ...further] = targets
  if (target === undefined || further.length > 0) throw new Error(`${source}: expected a branch to lead to one state`)
  return target.path.join('.')
}

function nameOf(value: unknown, source: string): string {
  if (typeof value === 'string') return value
  throw new Error(`${source}: expected guards and actions with names, got ${typeof value}`)
}

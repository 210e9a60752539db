import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { BranchList, BranchRow, ChartTable, EventRows, StateRow } from './chartTable.ts'

/**
 * Turns a statechart into a dense table: for every state without sub-states and every event, the guards in the order in which XState asks them, the state
 * each leads to, and what is done on the way.
 *
 * It compiles states and sub-states, events, guards and actions that are names, entry actions of states without sub-states, eventless transitions, final
 * states at the top, and a wildcard of the whole machine that does nothing.
 * @throws Error naming the place and what cannot be compiled there: anything else that XState knows, and a name without an implementation.
 */
export function compile(machine: AnyStateMachine): ChartTable {
  const { root } = machine
  const nodes = [root, ...descendants(root)]
  for (const node of nodes) refuseUnknown(node)
  const leaves = nodes.filter((node) => isLeaf(node))
  const branches: BranchRow[] = []
  const indexes = new Map<string, number>()
  const indexOfBranch = (branch: BranchRow): number => {
    const text = JSON.stringify(branch)
    const known = indexes.get(text)
    if (known !== undefined) return known
    indexes.set(text, branches.length)
    return branches.push(branch) - 1
  }
  const listOf = (transitions: readonly AnyTransitionDefinition[]): BranchList =>
    reachable(transitions.map((transition) => branchOf(transition, leaves))).map(indexOfBranch)
  const rowsOf = (path: readonly AnyStateNode[]): EventRows => {
    const types = new Set(path.flatMap((node) => [...node.transitions.keys()].filter((type) => type !== '*')))
    const on = [...types].map((type) => [type, listOf(path.flatMap((node) => node.transitions.get(type) ?? []))])
    return Object.fromEntries(on) as EventRows
  }
  const states = leaves.map((leaf): StateRow => {
    const path = pathOf(leaf)
    const always = listOf(path.flatMap((node) => node.always ?? []))
    return {
      value: valueOf(leaf),
      entry: namesOf(leaf, leaf.entry, 'on entry'),
      ...(leaf.type === 'final' ? { status: 'done' } : {}),
      on: rowsOf(path.slice(0, -1)),
      ...(always.length === 0 ? {} : { always }),
    }
  })
  const start = indexOfBranch([null, leaves.indexOf(firstLeafOf(root))])
  return { start, root: rowsOf([root]), states, branches }
}

function branchOf(transition: AnyTransitionDefinition, leaves: readonly AnyStateNode[]): BranchRow {
  const { source, target, actions, reenter } = transition
  const eventType: unknown = transition.eventType
  const guard: unknown = transition.guard
  const place = eventType === '' ? 'on no event' : `on ${String(eventType)}`
  if (reenter) throw refusal(source, place, 'a transition that re-enters its state')
  if (guard !== undefined && typeof guard !== 'string') throw refusal(source, place, 'a guard that is not a name')
  if (guard !== undefined) {
    const implementation: unknown = source.machine.implementations.guards[guard]
    if (implementation === undefined) throw refusal(source, place, `the guard ${guard}, which has no implementation`)
    if (typeof implementation === 'function' && 'check' in implementation)
      throw refusal(source, place, `the guard ${guard} of XState's own`)
  }
  const [to, ...others] = target ?? []
  if (others.length > 0) throw refusal(source, place, 'several targets')
  // A leaf that leads to itself is neither left nor entered.
  const stays = to === undefined || (to === source && isLeaf(to))
  return [guard ?? null, stays ? null : leaves.indexOf(firstLeafOf(to)), ...namesOf(source, actions, place)]
}

/** A branch without a guard hides those behind it. */
function reachable(branches: readonly BranchRow[]): readonly BranchRow[] {
  const unguarded = branches.findIndex(([guard]) => guard === null)
  return unguarded === -1 ? branches : branches.slice(0, unguarded + 1)
}

/** The state without sub-states in which a state begins. */
function firstLeafOf(node: AnyStateNode): AnyStateNode {
  const [next] = node.type === 'compound' ? node.initial.target : []
  return next === undefined ? node : firstLeafOf(next)
}

/** Whether a wildcard is that of the whole machine, and only says that other events change nothing. */
function doesNothing(node: AnyStateNode, type: string): boolean {
  const transitions = node.transitions.get(type) ?? []
  return (
    type === '*' &&
    node.parent === undefined &&
    transitions.every(
      ({ guard, target, actions }) => guard === undefined && (target === undefined || target.length === 0) && actions.length === 0,
    )
  )
}

function refuseUnknown(node: AnyStateNode): void {
  const found = [
    ...(node.parent === undefined && node.type === 'atomic' ? ['no states'] : []),
    ...(node.type === 'parallel' || node.type === 'history' ? [`a ${node.type} state`] : []),
    ...(node.type === 'final' && node.parent !== node.machine.root ? ['a final state below the top'] : []),
    ...(node.type === 'compound' && node.initial.actions.length > 0 ? ['actions of an initial transition'] : []),
    ...(node.invoke.length > 0 ? ['an invoked actor'] : []),
    ...(node.after.length > 0 ? ['a delayed transition'] : []),
    ...(!isLeaf(node) && node.entry.length > 0 ? ['entry actions beside sub-states'] : []),
    ...(node.exit.length > 0 ? ['exit actions'] : []),
    ...(node.output === undefined ? [] : ['an output']),
    ...[...node.transitions.keys()].filter((type) => type.endsWith('*') && !doesNothing(node, type)).map((type) => `the wildcard ${type}`),
    ...[...node.transitions.keys()].filter((type) => type.startsWith('xstate.')).map((type) => `an event of XState, ${type}`),
  ]
  const [first] = found
  if (first !== undefined) throw refusal(node, '', first)
}

/** Actions of XState that only change the context or emit an event; others reach beyond a table. */
const builtIns: ReadonlySet<string> = new Set(['xstate.assign', 'xstate.emit', 'xstate.enqueueActions'])

function namesOf(node: AnyStateNode, actions: readonly unknown[], place: string): readonly string[] {
  return actions.map((action) => {
    if (typeof action !== 'string') throw refusal(node, place, 'an action that is not a name')
    const implementation: unknown = node.machine.implementations.actions[action]
    if (implementation === undefined) throw refusal(node, place, `the action ${action}, which has no implementation`)
    const { type } = implementation as { readonly type?: unknown }
    if (type !== undefined && !builtIns.has(String(type))) throw refusal(node, place, `the action ${action}, which is ${String(type)}`)
    return action
  })
}

function refusal(node: AnyStateNode, place: string, what: string): Error {
  const name = node.path.length === 0 ? 'the machine' : node.path.join('.')
  return new Error(`compile: ${[name, place].join(' ').trim()} has ${what}; that cannot be compiled`)
}

/** A node and its ancestors, the root last. */
function pathOf(node: AnyStateNode): readonly AnyStateNode[] {
  return node.parent === undefined ? [node] : [node, ...pathOf(node.parent)]
}

function isLeaf({ type }: AnyStateNode): boolean {
  return type === 'atomic' || type === 'final'
}

function descendants(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...descendants(child)])
}

function valueOf(leaf: AnyStateNode): StateRow['value'] {
  const [last = '', ...above] = leaf.path.toReversed()
  return above.reduce<StateRow['value']>((value, key) => ({ [key]: value }) as StateRow['value'], last)
}

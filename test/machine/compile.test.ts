import { compile, shardConsumerMachine } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { assign, createMachine, emit, enqueueActions, raise, setup, stateIn } from 'xstate'

const named = setup({
  types: { events: {} as { type: 'go' } | { type: 'stop' } },
  guards: { ready: () => true },
  actions: { note: () => undefined },
  delays: { soon: 1 },
})

describe('compiling a statechart', () => {
  it('makes a row of every state without sub-states, and lists each branch once', () => {
    const table = compile(shardConsumerMachine)

    expect(table.states.map(({ value }) => value)).toContainEqual({ SHUTDOWN_REQUESTED: 'notificationCompletion' })
    expect(table.states.filter(({ status }) => status === 'done').map(({ value }) => value)).toEqual(['SHUTDOWN_COMPLETE'])
    expect(new Set(table.branches.map((branch) => JSON.stringify(branch))).size).toBe(table.branches.length)
  })

  it('asks the branches of a sub-state before those of its parent, and those of the machine last', () => {
    const machine = named.createMachine({
      initial: 'a',
      on: { go: { actions: 'note' } },
      states: {
        a: {
          initial: 'deep',
          on: { go: { guard: 'ready', target: 'b' } },
          states: { deep: { on: { go: { guard: 'ready', actions: 'note' } } } },
        },
        b: { entry: 'note', on: { go: 'a', stop: 'b' } },
      },
    })

    const { branches, root, states, start } = compile(machine)

    const listed = (list: readonly number[] | undefined) => list?.map((index) => branches[index])
    expect(states.map(({ value }) => value)).toEqual([{ a: 'deep' }, 'b'])
    expect(listed(states[0]?.on['go'])).toEqual([
      ['ready', null, 'note'],
      ['ready', 1],
    ])
    expect(listed(states[1]?.on['go'])).toEqual([[null, 0]])
    expect(states[1]?.entry).toEqual(['note'])
    expect(listed(root['go'])).toEqual([[null, null, 'note']])
    expect(branches[start]).toEqual([null, 0])
  })

  it('neither leaves nor enters a state that leads to itself', () => {
    const machine = named.createMachine({ initial: 'a', states: { a: { entry: 'note', on: { go: { target: 'a', actions: 'note' } } } } })

    expect(compile(machine).branches).toContainEqual([null, null, 'note'])
  })

  it('leaves out what stands behind a branch without a guard', () => {
    const machine = named.createMachine({ initial: 'a', states: { a: { on: { go: ['b', { guard: 'ready', target: 'a' }] } }, b: {} } })

    const { states, branches } = compile(machine)

    expect(states[0]?.on['go']?.map((index) => branches[index])).toEqual([[null, 1]])
  })
})

it('takes names for changes of the context and for emitted events', () => {
  const machine = createMachine({ initial: 'a', states: { a: { entry: ['change', 'tell', 'both'] } } }).provide({
    actions: { change: assign({}), tell: emit({ type: 'told' }), both: enqueueActions(() => undefined) },
  })

  expect(compile(machine).states[0]?.entry).toEqual(['change', 'tell', 'both'])
})

describe('what cannot be compiled is refused by name', () => {
  const two = { initial: 'a', states: { a: {}, b: {} } } as const
  const inline = (): undefined => undefined

  it.each([
    ['a parallel state', createMachine({ type: 'parallel', states: { a: {} } }), 'the machine has a parallel state'],
    [
      'a history state',
      createMachine({ initial: 'a', states: { a: { initial: 'b', states: { b: {}, h: { type: 'history' } } } } }),
      'a.h has a history state',
    ],
    [
      'a final state below the top',
      createMachine({ initial: 'a', states: { a: { initial: 'b', states: { b: { type: 'final' } } } } }),
      'a.b has a final state below the top',
    ],
    [
      'a wildcard of which one branch does something',
      named.createMachine({ ...two, on: { '*': [{}, { actions: 'note' }] } }),
      'the machine has the wildcard *',
    ],
    ['a machine without states', createMachine({}), 'the machine has no states'],
    ['a guarded wildcard', named.createMachine({ ...two, on: { '*': { guard: 'ready' } } }), 'the machine has the wildcard *'],
    [
      'a guard that XState answers',
      createMachine({ initial: 'a', states: { a: { on: { go: { guard: 'both', target: 'a' } } } } }).provide({
        guards: { both: stateIn('a') },
      }),
      "a on go has the guard both of XState's own",
    ],
    [
      'an action that raises an event',
      createMachine({ initial: 'a', states: { a: { entry: 'again' } } }).provide({ actions: { again: raise({ type: 'go' }) } }),
      'a on entry has the action again, which is xstate.raise',
    ],
    ['an invoked actor', createMachine({ initial: 'a', states: { a: { invoke: { src: 'x' } } } }), 'a has an invoked actor'],
    ['a delay', named.createMachine({ initial: 'a', states: { a: { after: { soon: 'b' } }, b: {} } }), 'a has a delayed transition'],
    ['exit actions', named.createMachine({ initial: 'a', states: { a: { exit: 'note' } } }), 'a has exit actions'],
    ['entry actions of the machine', named.createMachine({ ...two, entry: 'note' }), 'the machine has entry actions beside sub-states'],
    ['an output', createMachine({ ...two, output: 1 }), 'the machine has an output'],
    [
      'actions of an initial transition',
      named.createMachine({ initial: { target: 'a', actions: 'note' }, states: { a: {} } }),
      'the machine has actions of an initial transition',
    ],
    [
      'an end that a parent hears of',
      createMachine({ initial: 'a', onDone: { actions: [] }, states: { a: {} } }),
      'the machine has an event of XState, xstate.done.state.(machine)',
    ],
    ['a partial wildcard', createMachine({ initial: 'a', states: { a: { on: { 'x.*': {} } } } }), 'a has the wildcard x.*'],
    ['a wildcard below the machine', createMachine({ initial: 'a', states: { a: { on: { '*': {} } } } }), 'a has the wildcard *'],
    ['a wildcard that does something', named.createMachine({ ...two, on: { '*': { actions: 'note' } } }), 'the machine has the wildcard *'],
    ['a wildcard that leads somewhere', named.createMachine({ ...two, on: { '*': '.b' } }), 'the machine has the wildcard *'],
    [
      'a state that is entered again',
      named.createMachine({ initial: 'a', states: { a: { on: { go: { target: 'a', reenter: true } } } } }),
      'a on go has a transition that re-enters its state',
    ],
    [
      'a guard that is a function',
      createMachine({ initial: 'a', states: { a: { on: { go: { guard: () => true, target: 'a' } } } } }),
      'a on go has a guard that is not a name',
    ],
    [
      'a guard with parameters',
      createMachine({ initial: 'a', states: { a: { on: { go: { guard: { type: 'ready', params: {} }, target: 'a' } } } } }),
      'a on go has a guard that is not a name',
    ],
    [
      'a guard without an implementation',
      createMachine({ initial: 'a', states: { a: { on: { go: { guard: 'ready', target: 'a' } } } } }),
      'a on go has the guard ready, which has no implementation',
    ],
    [
      'an action that is a function',
      createMachine({ initial: 'a', states: { a: { entry: inline } } }),
      'a on entry has an action that is not a name',
    ],
    [
      'an assignment in place',
      createMachine({ initial: 'a', states: { a: { on: { go: { actions: assign({}) } } } } }),
      'a on go has an action that is not a name',
    ],
    [
      'an event raised without an event',
      createMachine({ initial: 'a', states: { a: { always: { guard: 'g', actions: raise({ type: 'go' }) } } } }).provide({
        guards: { g: () => true },
      }),
      'a on no event has an action that is not a name',
    ],
    [
      'an action with parameters',
      createMachine({ initial: 'a', states: { a: { entry: { type: 'note', params: { x: 1 } } } } }),
      'a on entry has an action that is not a name',
    ],
    [
      'an action without an implementation',
      createMachine({ initial: 'a', states: { a: { entry: 'note' } } }),
      'a on entry has the action note, which has no implementation',
    ],
  ])('%s', (_, machine, says) => {
    expect(() => compile(machine)).toThrow(`compile: ${says}; that cannot be compiled`)
  })
})

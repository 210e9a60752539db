import { compile } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { assign, createMachine, setup } from 'xstate'

const named = setup({
  types: { events: {} as { type: 'go' } | { type: 'stop' } },
  guards: { ready: () => true },
  actions: { note: () => undefined },
})

describe('the table of a small statechart', () => {
  it('says all of it, and nothing of the wildcard', () => {
    const machine = named.createMachine({
      initial: 'up',
      on: { stop: '.end', '*': {} },
      states: {
        up: {
          initial: 'idle',
          states: {
            idle: { on: { go: { guard: 'ready', target: 'busy', actions: 'note' } } },
            busy: { entry: 'note', always: { guard: 'ready', target: 'idle' } },
          },
        },
        end: { type: 'final' },
      },
    })

    expect(compile(machine)).toStrictEqual({
      start: 2,
      root: { stop: [3] },
      states: [
        { value: { up: 'idle' }, entry: [], on: { go: [0] } },
        { value: { up: 'busy' }, entry: ['note'], on: {}, always: [1] },
        { value: 'end', entry: [], status: 'done', on: {} },
      ],
      branches: [
        ['ready', 1, 'note'],
        ['ready', 0],
        [null, 0],
        [null, 2],
      ],
    })
  })

  it.each([
    ['a partial wildcard, also where it does nothing', createMachine({ initial: 'a', on: { 'x.*': {} }, states: { a: {} } }), 'x.*'],
    [
      'a wildcard that does something behind one that does nothing',
      named.createMachine({ initial: 'a', on: { '*': [{}, { actions: 'note' }] }, states: { a: {} } }),
      '*',
    ],
  ])('is refused for %s', (_, machine, wildcard) => {
    expect(() => compile(machine)).toThrow(new Error(`compile: the machine has the wildcard ${wildcard}; that cannot be compiled`))
  })

  it('takes a named action that only changes the context, as XState makes it', () => {
    const assigning = setup({ actions: { note: assign({}) } })

    expect(compile(assigning.createMachine({ initial: 'a', states: { a: { entry: 'note' } } })).states).toEqual([
      { value: 'a', entry: ['note'], on: {} },
    ])
  })
})

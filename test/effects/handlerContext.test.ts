import { type EffectOf, interpret, type MachineAnswer } from '@shardwise/effects'
import { afterEach, describe, expect, it } from 'vitest'
import { cancel, drive, drop, fired, settle, timer, told } from './listeningMachine.ts'

const { AbortController } = globalThis
afterEach(() => {
  globalThis.AbortController = AbortController
})

const forever = (): Promise<never> => new Promise(() => undefined)

describe('onAbort', () => {
  it('calls back every listener once, in the order in which they were added', () => {
    const heard: string[] = []
    const driver = drive({
      start: [timer(1)],
      react: () => [cancel(1)],
      handlers: {
        startTimer: (_, context) => {
          for (const name of ['first', 'second', 'third']) context.onAbort(() => heard.push(name))
          return forever()
        },
      },
    })

    driver.send(told('cancel'))
    driver.send(told('cancel again'))

    expect(heard).toEqual(['first', 'second', 'third'])
  })

  it('calls back at once when the effect was aborted before', () => {
    const heard: string[] = []
    let listen: (name: string) => void = () => undefined
    const driver = drive({
      start: [timer(1)],
      react: () => [cancel(1)],
      handlers: {
        startTimer: (_, context) => {
          listen = (name) => context.onAbort(() => heard.push(name))
          return forever()
        },
      },
    })
    listen('before')
    driver.send(told('cancel'))

    listen('after')

    expect(heard).toEqual(['before', 'after'])
  })
})

describe('the signal', () => {
  it('is asked of the runtime only when a handler wants it', () => {
    globalThis.AbortController = undefined as never
    const heard: string[] = []
    const driver = drive({
      start: [timer(1)],
      react: () => [cancel(1)],
      handlers: {
        startTimer: (_, context) => {
          context.onAbort(() => heard.push('aborted'))
          return forever()
        },
      },
    })

    driver.send(told('cancel'))

    expect(heard).toEqual(['aborted'])
  })

  it('fails the effect with a message that says what the runtime lacks', () => {
    globalThis.AbortController = undefined as never

    const driver = drive({
      start: [timer(1)],
      handlers: {
        startTimer: (_, { signal }) => {
          signal.addEventListener('abort', () => undefined)
          return forever()
        },
      },
    })

    expect(driver.snapshot).toEqual([
      { type: 'effectFailed', id: 1, error: { name: 'Error', message: 'signal: this runtime has no AbortController' } },
    ])
  })

  it.each(['signal', 'onAbort'] as const)(
    'is not there for an effect without an answer: asking for %s breaks the contract',
    async (asked) => {
      const driver = drive({
        start: [drop('b1')],
        handlers: {
          dropBatch: ((_: unknown, context: { readonly signal: unknown; onAbort(listener: () => void): void }) =>
            asked === 'signal' ? context.signal : context.onAbort(() => undefined)) as never,
        },
      })

      await expect(driver.done).rejects.toThrow(`${asked}: an effect without an answer cannot be cancelled`)
    },
  )
})

describe('an answer', () => {
  it('that comes after the end of the machine is not fed', async () => {
    let answer: (nowMs: number) => void = () => undefined
    const driver = drive({
      start: [timer(1)],
      isDone: (heard) => heard.length > 0,
      handlers: {
        startTimer: () =>
          new Promise((resolve) => {
            answer = (nowMs) => resolve(fired(nowMs))
          }),
      },
    })
    driver.send(told('end'))

    answer(5)
    await settle()

    expect(driver.snapshot).toEqual([told('end')])
  })

  it('may have a field named then: only a function makes it a promise', () => {
    const driver = drive({ start: [timer(1)], handlers: { startTimer: () => ({ ...fired(5), then: 'tea' }) as never } })

    expect(driver.snapshot).toEqual([{ ...fired(5), then: 'tea', id: 1 }])
  })

  it('outside the table is refused with the answers that were expected', () => {
    const read: EffectOf<'openShard'> = { type: 'openShard', id: 1, shardId: 'shardId-0', position: { type: 'LATEST' } }
    const driver = interpret<readonly unknown[], MachineAnswer<'openShard'>, EffectOf<'openShard'>>({
      machine: { step: (heard, event) => [[...heard, event], []], isDone: () => false },
      start: [[], [read]],
      handlers: { openShard: () => ({ type: 'shardReopened' }) as never },
    })

    return expect(driver.done).rejects.toThrow('expected shardOpened or shardNotFound or throttled')
  })

  it.each([
    [null, 'Error', 'null'],
    [undefined, 'Error', 'undefined'],
    ['text', 'Error', 'text'],
    [{ name: 'OnlyAName' }, 'Error', '[object Object]'],
    [{ message: 'only a message' }, 'Error', '[object Object]'],
    [{ name: 'Foreign', message: 'of another realm' }, 'Foreign', 'of another realm'],
  ])('of a handler that throws or rejects with %j is a failure that says so', async (reason, name, message) => {
    const fail = (): never => {
      throw reason as Error
    }
    const driver = drive({
      start: [timer(1), timer(2)],
      handlers: { startTimer: ({ id }) => (id === 1 ? fail() : Promise.resolve().then(fail)) },
    })
    await settle()

    expect(driver.snapshot).toEqual([1, 2].map((id) => ({ type: 'effectFailed', id, error: { name, message } })))
  })
})

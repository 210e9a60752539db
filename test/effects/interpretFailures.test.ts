import { describe, expect, it } from 'vitest'
import { drive, drop, fired, settle, type TestEffect, timer, told } from './listeningMachine.ts'

class LeaseTableOffline extends Error {
  override readonly name = 'LeaseTableOffline'
}
const failed = (name: string, message: string, id = 1) => ({ type: 'effectFailed', id, error: { name, message } })
const bare: unknown = Object.create(null)

describe('a handler that fails', () => {
  it.each([
    ['an error', new LeaseTableOffline('no answer'), failed('LeaseTableOffline', 'no answer')],
    ['an error of another realm', { name: 'AbortError', message: 'stopped' }, failed('AbortError', 'stopped')],
    ['a text', 'out of order', failed('Error', 'out of order')],
    ['undefined', undefined, failed('Error', 'undefined')],
    ['an object without a prototype', bare, failed('Error', 'a value that cannot be printed')],
    ['an error that names itself with it', { name: bare, message: 1 }, failed('a value that cannot be printed', '1')],
  ])('answers effectFailed with the facts of %s, thrown or rejected', async (_, thrown, expected) => {
    const throwing = drive({
      start: [timer(1)],
      handlers: {
        startTimer: () => {
          throw thrown
        },
      },
    })
    expect(throwing.snapshot).toEqual([expected])
    const rejecting = drive({ start: [timer(1)], handlers: { startTimer: () => Promise.reject(thrown) } })
    await settle()
    expect(rejecting.snapshot).toEqual([expected])
  })

  it('does not keep the other effects of its step from starting', () => {
    const begun: number[] = []
    const driver = drive({
      start: [timer(1), timer(2)],
      handlers: {
        startTimer: ({ id }) => {
          begun.push(id)
          throw new Error('no')
        },
      },
    })
    expect(begun).toEqual([1, 2])
    expect(driver.snapshot).toEqual([failed('Error', 'no', 1), failed('Error', 'no', 2)])
  })
})

describe('a broken contract rejects done and stops the driver:', () => {
  const broken = new Error('broken')
  const breaking = (): never => {
    throw broken
  }
  const onTold = (effect: TestEffect) => (event: { type: string }) => (event.type === 'told' ? [effect] : [])

  it.each([
    ['a machine that throws', { react: breaking }],
    ['an observer that throws', { observe: ({ event }: { event: unknown }) => void (event === null || breaking()) }],
    ['a notice handler that throws', { react: onTold(drop('b1')), handlers: { dropBatch: breaking } }],
  ])('%s', async (_, how) => {
    let aborted = false
    const driver = drive({
      start: [timer(99)],
      ...how,
      handlers: {
        startTimer: (_effect, { signal }) => {
          signal.addEventListener('abort', () => {
            aborted = true
          })
          return new Promise(() => undefined)
        },
        ...('handlers' in how ? how.handlers : {}),
      },
    })
    driver.send(told('break'))
    await expect(driver.done).rejects.toBe(broken)
    expect(aborted).toBe(true)
    const before = driver.snapshot
    driver.send(told('again'))
    expect(driver.snapshot).toBe(before)
  })

  it('an observer that throws at the start', async () => {
    await expect(drive({ observe: breaking }).done).rejects.toBe(broken)
  })

  it('an effect that no handler knows', async () => {
    const unknown = { type: 'formatDisk', id: 1 } as unknown as TestEffect
    await expect(drive({ start: [unknown] }).done).rejects.toThrow('handlers: none for the effect formatDisk')
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'timerFired'],
    ['another effect’s answer', { type: 'recordsRead' }],
    ['a name that every object has', { type: 'toString' }],
  ])('%s as the answer, at once or later', async (_, body) => {
    const expected = /^handlers: startTimer was answered outside the table, expected timerFired, got /
    await expect(drive({ start: [timer(1)], handlers: { startTimer: () => body as never } }).done).rejects.toThrow(expected)
    await expect(drive({ start: [timer(1)], handlers: { startTimer: async () => body as never } }).done).rejects.toThrow(expected)
  })

  it('after the end, where it surfaces from send, for done has resolved', async () => {
    const driver = drive({ isDone: () => true, react: breaking })
    await driver.done
    expect(() => driver.send(told('late'))).toThrow(broken)
  })
})

it('hears a foreign thenable once, however often it settles', async () => {
  const twice = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    then: (resolve: (answer: object) => void) => {
      resolve(fired(1))
      resolve(fired(2))
      throw new Error('settled already')
    },
  }
  const driver = drive({
    start: [timer(1)],
    handlers: { startTimer: () => twice as unknown as Promise<{ type: 'timerFired'; nowMs: number }> },
  })
  await settle()
  expect(driver.snapshot).toEqual([{ type: 'timerFired', nowMs: 1, id: 1 }])
})

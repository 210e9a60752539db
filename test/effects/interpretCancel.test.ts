import type { AbortSignalLike } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { cancel, drive, drop, fired, settle, timer, told } from './listeningMachine.ts'

describe('cancel', () => {
  it('aborts exactly the effect that it names', () => {
    const signals = new Map<number, AbortSignalLike>()
    const driver = drive({
      start: [timer(1), timer(2), timer(3)],
      react: () => [cancel(2)],
      handlers: {
        startTimer: ({ id }, { signal }) => {
          signals.set(id, signal)
          return new Promise(() => undefined)
        },
      },
    })
    driver.send(told('cancel 2'))
    expect([1, 2, 3].map((id) => signals.get(id)?.aborted)).toEqual([false, true, false])
  })

  it('is seen by a handler that asks for its signal only afterwards', () => {
    let late: () => AbortSignalLike = () => {
      throw new Error('not begun')
    }
    const driver = drive({
      start: [timer(1)],
      react: () => [cancel(1)],
      handlers: {
        startTimer: (_effect, context) => {
          late = () => context.signal
          return new Promise(() => undefined)
        },
      },
    })
    driver.send(told('cancel'))
    expect(late().aborted).toBe(true)
    expect(late()).toBe(late())
  })

  it('leaves the answer to the machine: it is fed, also when it comes late', async () => {
    let answer: (nowMs: number) => void = () => undefined
    const driver = drive({
      start: [timer(1)],
      react: (event) => (event.type === 'told' ? [cancel(1)] : []),
      handlers: { startTimer: () => new Promise((resolve) => (answer = (nowMs) => resolve(fired(nowMs)))) },
    })
    driver.send(told('cancel'))
    answer(3)
    await settle()
    expect(driver.snapshot).toEqual([told('cancel'), { type: 'timerFired', nowMs: 3, id: 1 }])
  })

  it('does not reach an effect whose answer has been heard', () => {
    let signal: AbortSignalLike | undefined
    drive({
      start: [timer(1)],
      react: () => [cancel(1)],
      handlers: {
        startTimer: (_effect, context) => {
          signal = context.signal
          return fired(0)
        },
      },
    })
    expect(signal?.aborted).toBe(false)
  })
})

describe('closing the driver', () => {
  it('aborts everything outstanding and ignores every later answer and event', async () => {
    const signals: AbortSignalLike[] = []
    let answer: (nowMs: number) => void = () => undefined
    let ended = false
    const driver = drive({
      start: [timer(1), timer(2)],
      isDone: (heard) => heard.length > 0,
      handlers: {
        startTimer: (_effect, { signal }) => {
          signals.push(signal)
          return new Promise((resolve) => (answer = (nowMs) => resolve(fired(nowMs))))
        },
      },
    })
    void driver.done.then(() => (ended = true))
    driver.close()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    answer(1)
    driver.send(told('nobody'))
    await settle()
    expect(driver.snapshot).toEqual([])
    expect(ended).toBe(false)
  })

  it.each(['a handler', 'the observer'])('from %s, starts nothing more of the step being taken', async (who) => {
    const begun: string[] = []
    let ended = false
    const driver = drive({
      react: () => [drop('b1'), drop('b2'), timer(1)],
      isDone: (heard) => heard.length > 0,
      observe: ({ event }) => {
        if (who === 'the observer' && event !== null) driver.close()
      },
      handlers: {
        dropBatch: ({ batchId }) => {
          begun.push(batchId)
          driver.close()
        },
        startTimer: () => {
          begun.push('timer')
          return fired(0)
        },
      },
    })
    void driver.done.then(() => (ended = true))
    driver.send(told('go'))
    driver.send(told('nobody'))
    await settle()
    expect(begun).toEqual(who === 'a handler' ? ['b1'] : [])
    expect(driver.snapshot).toEqual([told('go')])
    expect(ended).toBe(false)
  })

  it('from the last handler of the last step, leaves done pending', async () => {
    let ended = false
    const driver = drive({ react: () => [drop('b1')], isDone: (heard) => heard.length > 0, handlers: { dropBatch: () => driver.close() } })
    void driver.done.then(() => (ended = true))
    driver.send(told('end'))
    await settle()
    expect(ended).toBe(false)
  })

  it('drops the events that waited for the step', () => {
    const driver = drive({
      react: (event) => {
        if (event.type === 'told' && event.what === 'close') {
          driver.send(told('waiting'))
          driver.close()
        }
        return []
      },
    })
    driver.send(told('close'))
    expect(driver.snapshot).toEqual([told('close')])
  })

  it.each(['closed', 'ended'])(
    'owes no answer any more: a broken one of a handler that was aborted is ignored once it has %s',
    async (how) => {
      let answer: (body: undefined) => void = () => undefined
      const driver = drive({
        start: [timer(1)],
        isDone: (heard) => heard.length > 0,
        handlers: { startTimer: () => new Promise((resolve) => (answer = resolve as never)) },
      })
      let rejected = false
      driver.done.catch(() => (rejected = true))
      if (how === 'closed') driver.close()
      else driver.send(told('end'))
      answer(undefined)
      await settle()
      expect(rejected).toBe(false)
      expect(driver.snapshot).toEqual(how === 'closed' ? [] : [told('end')])
    },
  )
})

describe('onAbort', () => {
  it('calls back once when the machine cancels the effect', () => {
    const aborted: number[] = []
    const driver = drive({
      start: [timer(1), timer(2)],
      react: (event) => (event.type === 'told' ? [cancel(2), cancel(2)] : []),
      handlers: {
        startTimer: ({ id }, context) => {
          context.onAbort(() => aborted.push(id))
          return new Promise(() => undefined)
        },
      },
    })
    driver.send(told('stop'))
    expect(aborted).toEqual([2])
  })
})

import { type EffectOf, interpret } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { cancel, drive, drop, fired, type Heard, settle, type TestEffect, type TestEvent, timer, told } from './listeningMachine.ts'

describe('the driver', () => {
  it('starts the effects of a step in the order given', () => {
    const begun: string[] = []
    drive({
      start: [timer(1), drop('b1'), timer(2), drop('b2')],
      handlers: {
        startTimer: ({ id }) => {
          begun.push(`timer ${id}`)
          return new Promise(() => undefined)
        },
        dropBatch: ({ batchId }) => void begun.push(`drop ${batchId}`),
      },
    })
    expect(begun).toEqual(['timer 1', 'drop b1', 'timer 2', 'drop b2'])
  })

  it('feeds a synchronous answer after the rest of its step, with the id of its effect', () => {
    const trace: string[] = []
    const driver = drive({
      start: [timer(1), timer(2), drop('b1')],
      react: (event) => {
        trace.push(event.type)
        return []
      },
      handlers: { startTimer: ({ id }) => fired(id * 10), dropBatch: () => void trace.push('dropBatch') },
    })
    expect(trace).toEqual(['dropBatch', 'timerFired', 'timerFired'])
    expect(driver.snapshot).toEqual([
      { type: 'timerFired', nowMs: 10, id: 1 },
      { type: 'timerFired', nowMs: 20, id: 2 },
    ])
  })

  it('feeds asynchronous answers in the order they arrive', async () => {
    const answer = new Map<number, (nowMs: number) => void>()
    const driver = drive({
      start: [timer(1), timer(2), timer(3)],
      handlers: { startTimer: ({ id }) => new Promise((resolve) => answer.set(id, (nowMs) => resolve(fired(nowMs)))) },
    })
    for (const id of [2, 3, 1]) answer.get(id)?.(id)
    await settle()
    expect(driver.snapshot.map((event) => 'id' in event && event.id)).toEqual([2, 3, 1])
  })

  it('lets the driver name an answer, whatever id the handler put in it', () => {
    const driver = drive({ start: [timer(7)], handlers: { startTimer: () => ({ ...fired(0), id: 1 }) } })
    expect(driver.snapshot).toEqual([{ type: 'timerFired', nowMs: 0, id: 7 }])
  })

  it('never takes a step inside a step, whoever sends', () => {
    let depth = 0
    let deepest = 0
    const driver = drive({
      react: (event) => {
        depth += 1
        deepest = Math.max(deepest, depth)
        if (event.type === 'told' && event.what === 'first') driver.send(told('from the machine'))
        depth -= 1
        return event.type === 'told' && event.what === 'first' ? [drop('b1'), timer(1)] : []
      },
      observe: ({ event }) => {
        if (event?.type === 'told' && event.what === 'first') driver.send(told('from the observer'))
      },
      handlers: {
        dropBatch: () => {
          driver.send(told('from a notice'))
        },
        startTimer: () => {
          driver.send(told('from a handler'))
          return fired(0)
        },
      },
    })
    driver.send(told('first'))
    expect(deepest).toBe(1)
    expect(driver.snapshot.map((event) => (event.type === 'told' ? event.what : event.type))).toEqual([
      'first',
      'from the machine',
      'from the observer',
      'from a notice',
      'from a handler',
      'timerFired',
    ])
  })

  it('shows each step to the observer before its effects start, with the very effects that the handlers get', () => {
    const effects: readonly TestEffect[] = [timer(1)]
    const trace: unknown[] = []
    const driver = drive({
      start: effects,
      handlers: {
        startTimer: (effect) => {
          trace.push(effect)
          return fired(0)
        },
      },
      observe: (step) => trace.push(step),
    })
    const answer = { type: 'timerFired', nowMs: 0, id: 1 }
    expect(trace).toEqual([
      { event: null, before: null, after: [], effects },
      effects[0],
      { event: answer, before: [], after: [answer], effects: [] },
    ])
    expect(trace[1]).toBe(effects[0])
    expect(driver.snapshot).toEqual([answer])
  })

  it('starts what a restored snapshot still awaits before anything else', () => {
    const begun: number[] = []
    const driver = drive({
      start: [timer(41), timer(42)],
      react: (event) => (event.type === 'told' ? [timer(43)] : []),
      handlers: {
        startTimer: ({ id }) => {
          begun.push(id)
          return new Promise(() => undefined)
        },
      },
    })
    driver.send(told('go on'))
    expect(begun).toEqual([41, 42, 43])
  })

  it('calls handlers as methods, so that an instance of a class can be given', () => {
    class Clock {
      readonly #nowMs = 5
      startTimer() {
        return fired(this.#nowMs)
      }
    }
    const driver = interpret<Heard, TestEvent, EffectOf<'startTimer'>>({
      machine: { step: (heard, event) => [[...heard, event], []], isDone: () => false },
      start: [[], [timer(1)]],
      handlers: new Clock(),
    })
    expect(driver.snapshot).toEqual([{ type: 'timerFired', nowMs: 5, id: 1 }])
  })

  it('ends when the machine does, and aborts what is outstanding then', async () => {
    const aborted: number[] = []
    const driver = drive({
      start: [timer(1), timer(2)],
      isDone: (heard) => heard.length === 1,
      handlers: {
        startTimer: ({ id }, { signal }) => {
          signal.addEventListener('abort', () => aborted.push(id))
          return new Promise(() => undefined)
        },
      },
    })
    driver.send(told('end'))
    expect(await driver.done).toEqual([told('end')])
    expect(aborted).toEqual([1, 2])
  })

  it('feeds what comes after the end to the machine, and starts what it then asks for', async () => {
    const dropped: string[] = []
    const driver = drive({
      isDone: () => true,
      react: () => [drop('late')],
      handlers: { dropBatch: ({ batchId }) => void dropped.push(batchId) },
    })
    expect(await driver.done).toEqual([])
    driver.send(told('too late'))
    expect(driver.snapshot).toEqual([told('too late')])
    expect(dropped).toEqual(['late'])
  })

  it('does not mind the cancelling of an effect that is not outstanding', () => {
    const driver = drive({ start: [cancel(9), timer(1), cancel(1)], handlers: { startTimer: () => fired(0) } })
    expect(driver.snapshot).toEqual([{ type: 'timerFired', nowMs: 0, id: 1 }])
  })
})

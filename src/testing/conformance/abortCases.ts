import type { AbortSignalLike } from '@shardwise/effects'
import { expectEqual } from '../expectEqual.ts'
import { cancel, drop, fired, type ScriptedBench, timer, told } from './scripted.ts'

type Cases = Readonly<Record<string, (bench: ScriptedBench) => Promise<void>>>

/** What abort signals say. */
export const abortCases: Cases = {
  'aborts exactly the effect that cancel names, and no earlier': async (bench) => {
    bench.play({ start: [timer(1), timer(2), timer(3)], react: () => (bench.events.length === 2 ? [cancel(2)] : []) })
    bench.send(told('wait'))
    await bench.idle()
    expectEqual(bench.aborted, [], 'aborted before the cancel')
    bench.send(told('cancel 2'))
    await bench.idle()
    expectEqual(bench.aborted, [2], 'aborted')
  },

  'aborts at the place of the cancel among the effects of its step': async (bench) => {
    bench.play({
      start: [timer(1)],
      react: () => [drop('b1'), cancel(1), drop('b2')],
      handle: ({ type }, context) => {
        if (type !== 'startTimer') return undefined
        context.onAbort(() => bench.happen('aborted'))
        return new Promise(() => undefined)
      },
    })
    bench.send(told('go'))
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1', '> go', '! dropBatch b1', 'aborted', '! dropBatch b2'], 'log')
  },

  'fires the signal as well, also for a handler that looks at it only afterwards': async (bench) => {
    const looks: (() => AbortSignalLike)[] = []
    let fires = 0
    bench.play({
      start: [timer(1), timer(2)],
      react: () => [cancel(1)],
      handle: (effect, context) => {
        looks.push(() => context.signal)
        if ('id' in effect && effect.id === 1) context.signal.addEventListener('abort', () => (fires += 1))
        return new Promise(() => undefined)
      },
    })
    bench.send(told('cancel'))
    await bench.idle()
    expectEqual(
      looks.map((look) => look().aborted),
      [true, false],
      'aborted',
    )
    expectEqual(fires, 1, 'abort events')
  },

  'aborts once, however often the machine cancels': async (bench) => {
    bench.play({ start: [timer(1)], react: () => [cancel(1), cancel(1)] })
    bench.send(told('cancel'))
    bench.send(told('again'))
    await bench.idle()
    expectEqual(bench.aborted, [1], 'aborted')
  },

  'calls back at once who listens to an effect that is aborted already': async (bench) => {
    let listen = (): void => undefined
    let called = 0
    bench.play({
      start: [timer(1)],
      react: () => [cancel(1)],
      handle: (_, context) => {
        listen = () => context.onAbort(() => (called += 1))
        return new Promise(() => undefined)
      },
    })
    bench.send(told('cancel'))
    await bench.idle()
    listen()
    expectEqual(called, 1, 'calls')
  },

  'does not abort an effect whose answer was fed': async (bench) => {
    bench.play({ start: [timer(1)], react: () => [cancel(1)] })
    await bench.idle()
    bench.answer(1, fired())
    await bench.idle()
    expectEqual(bench.aborted, [], 'aborted')
  },

  'aborts what is still out when the machine ends': async (bench) => {
    bench.play({ start: [timer(1), timer(2)], isDone: (heard) => heard.length > 0 })
    await bench.idle()
    bench.send(told('end'))
    await bench.idle()
    expectEqual(bench.aborted, [1, 2], 'aborted')
  },
}

/** What `close` says to those who wait. */
export const closeAbortsCases: Cases = {
  'aborts everything that is out when it is closed': async (bench) => {
    bench.play({ start: [timer(1), timer(2), timer(3)] })
    await bench.idle()
    bench.answer(2, fired())
    await bench.idle()
    bench.close()
    await bench.idle()
    expectEqual(bench.aborted, [1, 3], 'aborted')
  },
}

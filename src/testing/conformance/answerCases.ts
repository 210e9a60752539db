import { expectEqual } from '../expectEqual.ts'
import { cancel, drop, fired, type ScriptedBench, timer, told } from './scripted.ts'

type Body = (bench: ScriptedBench) => Promise<void>

class LeaseTableOffline extends Error {
  override readonly name = 'LeaseTableOffline'
}
const offline = (): Error => new LeaseTableOffline('no answer')
const failed = (id: number, name: string, message: string) => ({ type: 'effectFailed', id, error: { name, message } })

const throwing = (thrown: unknown) => (): never => {
  throw thrown
}

/** What is fed for an effect, and how often. */
export const answerCases: Readonly<Record<string, Body>> = {
  'feeds an answer as the handler gave it, with the id of its effect': async (bench) => {
    bench.play({ start: [timer(41), timer(42)] })
    await bench.idle()
    bench.answer(42, fired(7))
    await bench.idle()
    expectEqual(bench.events, [{ type: 'timerFired', nowMs: 7, id: 42 }], 'events')
  },

  'feeds an answer once': async (bench) => {
    bench.play({ start: [timer(1), timer(2)] })
    await bench.idle()
    bench.answer(1, fired())
    await bench.idle()
    bench.send(told('later'))
    bench.fail(2, offline())
    await bench.idle()
    bench.send(told('last'))
    await bench.idle()
    expectEqual(bench.log.slice(2).sort(), ['> effectFailed #2', '> last', '> later', '> timerFired #1'], 'events')
  },

  'feeds an answer that came at once as well as one that was promised': async (bench) => {
    bench.play({ start: [timer(1), timer(2)], handle: (effect) => ('id' in effect && effect.id === 1 ? fired(1) : undefined) })
    await bench.idle()
    bench.answer(2, fired(2))
    await bench.idle()
    const expected = [
      { type: 'timerFired', nowMs: 1, id: 1 },
      { type: 'timerFired', nowMs: 2, id: 2 },
    ]
    expectEqual(bench.events, expected, 'events')
  },

  'names an answer by its effect, whatever id the handler put into it': async (bench) => {
    bench.play({ start: [timer(7)], handle: () => ({ ...fired(), id: 1 }) })
    await bench.idle()
    expectEqual(bench.events, [{ type: 'timerFired', nowMs: 0, id: 7 }], 'events')
  },

  'hears a promise of another make once, however often it settles': async (bench) => {
    const settleTwice = (resolve: (answer: object) => void): void => {
      resolve(fired(1))
      resolve(fired(2))
    }
    // oxlint-disable-next-line unicorn/no-thenable -- such a promise is what the case is about
    const promise = Object.fromEntries([['then', settleTwice]])
    bench.play({ start: [timer(1)], handle: () => promise })
    await bench.idle()
    expectEqual(bench.events, [{ type: 'timerFired', nowMs: 1, id: 1 }], 'events')
  },

  'feeds nothing for an effect without an answer, whatever its handler returns': async (bench) => {
    bench.play({ start: [drop('b1'), drop('b2')], handle: () => fired() })
    await bench.idle()
    bench.send(told('later'))
    await bench.idle()
    expectEqual(bench.log.slice(2), ['> later'], 'events')
  },

  'feeds the answer of an effect that was cancelled': async (bench) => {
    bench.play({ start: [timer(1)], react: ({ type }) => (type === 'checkpointRequested' ? [cancel(1)] : []) })
    bench.send(told('cancel'))
    await bench.idle()
    bench.answer(1, fired(3))
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1', '> cancel', '> timerFired #1'], 'log')
  },

  'feeds the failure of an effect that was cancelled': async (bench) => {
    const aborted = Object.assign(new Error('the read was cancelled'), { name: 'AbortError' })
    bench.play({ start: [timer(1)], react: ({ type }) => (type === 'checkpointRequested' ? [cancel(1)] : []) })
    bench.send(told('cancel'))
    await bench.idle()
    bench.fail(1, aborted)
    await bench.idle()
    expectEqual(bench.events.slice(1), [failed(1, 'AbortError', 'the read was cancelled')], 'events after the cancel')
  },

  'takes the cancelling of an effect that is not out for nothing': async (bench) => {
    bench.play({ start: [cancel(9), timer(1)], react: ({ type }) => (type === 'timerFired' ? [cancel(1), drop('b1')] : []) })
    await bench.idle()
    bench.answer(1, fired())
    await bench.idle()
    bench.send(told('later'))
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1', '> timerFired #1', '! dropBatch b1', '> later'], 'log')
  },

  'turns a handler that throws into effectFailed with the name and the message': async (bench) => {
    bench.play({ start: [timer(1)], handle: throwing(offline()) })
    await bench.idle()
    expectEqual(bench.events, [failed(1, 'LeaseTableOffline', 'no answer')], 'events')
  },

  'turns a handler that rejects into effectFailed with the name and the message': async (bench) => {
    bench.play({ start: [timer(1)] })
    await bench.idle()
    bench.fail(1, offline())
    await bench.idle()
    expectEqual(bench.events, [failed(1, 'LeaseTableOffline', 'no answer')], 'events')
  },

  'knows an error of another realm by its name and message': async (bench) => {
    bench.play({ start: [timer(1)], handle: throwing({ name: 'TimeoutError', message: 'too long' }) })
    await bench.idle()
    expectEqual(bench.events, [failed(1, 'TimeoutError', 'too long')], 'events')
  },

  'turns into effectFailed what is no error at all': async (bench) => {
    const thrown: readonly unknown[] = ['out of order', undefined, null]
    bench.play({ start: thrown.map((_, id) => timer(id)), handle: (effect) => throwing(thrown['id' in effect ? effect.id : 0])() })
    await bench.idle()
    const plain = bench.events.map((event) =>
      event.type === 'effectFailed' ? [event.id, typeof event.error.name, typeof event.error.message] : event,
    )
    expectEqual(
      plain,
      thrown.map((_, id) => [id, 'string', 'string']),
      'events, with the types of name and message',
    )
    const [first] = bench.events
    expectEqual(first?.type === 'effectFailed' && first.error.message.includes('out of order'), true, 'message with the text thrown')
  },

  'starts the rest of a step when a handler throws': async (bench) => {
    const failFirst = throwing(offline())
    bench.play({
      react: ({ type }) => (type === 'checkpointRequested' ? [timer(1), timer(2), drop('b1')] : []),
      handle: (effect) => ('id' in effect && effect.id === 1 ? failFirst() : undefined),
    })
    bench.send(told('go'))
    await bench.idle()
    expectEqual(bench.log, ['> go', '! startTimer #1', '! startTimer #2', '! dropBatch b1', '> effectFailed #1'], 'log')
  },
}

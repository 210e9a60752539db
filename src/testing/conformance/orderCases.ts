import { expectEqual } from '../expectEqual.ts'
import { cancel, drop, fired, type ScriptedBench, timer, told } from './scripted.ts'

type Body = (bench: ScriptedBench) => Promise<void>

/** Sends an event from inside a handler, at the first call of it. */
const sendingOnce = (bench: ScriptedBench, type: string, request: string) => {
  let sent = false
  return (effect: { readonly type: string }): void => {
    if (effect.type !== type || sent) return
    sent = true
    bench.send(told(request))
  }
}

/** In which order effects start and events are fed. */
export const orderCases: Readonly<Record<string, Body>> = {
  'starts the first effects in the order given': async (bench) => {
    bench.play({ start: [timer(1), drop('b1'), timer(2), drop('b2')] })
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1', '! dropBatch b1', '! startTimer #2', '! dropBatch b2'], 'log')
  },

  'starts the effects of a step in the order given': async (bench) => {
    bench.play({ react: () => [drop('b1'), timer(2), cancel(2), drop('b2'), timer(1)] })
    bench.send(told('go'))
    await bench.idle()
    expectEqual(bench.log, ['> go', '! dropBatch b1', '! startTimer #2', '! dropBatch b2', '! startTimer #1'], 'log')
  },

  'starts every effect of a step without waiting for the answers of those before it': async (bench) => {
    bench.play({ react: () => [timer(1), timer(2), timer(3)] })
    bench.send(told('go'))
    await bench.idle()
    expectEqual(bench.log, ['> go', '! startTimer #1', '! startTimer #2', '! startTimer #3'], 'log')
  },

  'starts every effect of a step before it feeds an answer, also one that came at once': async (bench) => {
    bench.play({ start: [timer(1), timer(2), drop('b1')], handle: ({ type }) => (type === 'startTimer' ? fired() : undefined) })
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1', '! startTimer #2', '! dropBatch b1', '> timerFired #1', '> timerFired #2'], 'log')
  },

  'starts every effect of a step before it feeds an event that a handler sent': async (bench) => {
    const sendFrom = sendingOnce(bench, 'dropBatch', 'from a handler')
    bench.play({
      react: ({ type }) => (type === 'checkpointRequested' && bench.events.length === 1 ? [drop('b1'), drop('b2'), timer(1)] : []),
      handle: (effect) => sendFrom(effect),
    })
    bench.send(told('go'))
    await bench.idle()
    expectEqual(bench.log, ['> go', '! dropBatch b1', '! dropBatch b2', '! startTimer #1', '> from a handler'], 'log')
  },

  'feeds an event that a handler sent before the answer of that handler': async (bench) => {
    const sendFrom = sendingOnce(bench, 'startTimer', 'from a handler')
    bench.play({
      react: () => (bench.events.length === 1 ? [timer(1)] : []),
      handle: (effect) => {
        sendFrom(effect)
        return fired()
      },
    })
    bench.send(told('go'))
    await bench.idle()
    expectEqual(bench.log, ['> go', '! startTimer #1', '> from a handler', '> timerFired #1'], 'log')
  },

  'feeds answers in the order in which they arrive': async (bench) => {
    bench.play({ start: [timer(1), timer(2), timer(3)] })
    await bench.idle()
    for (const id of [2, 3, 1]) bench.answer(id, fired())
    await bench.idle()
    expectEqual(bench.log.slice(3), ['> timerFired #2', '> timerFired #3', '> timerFired #1'], 'events')
  },

  'feeds events from outside in the order in which they were sent': async (bench) => {
    bench.play({})
    for (const request of ['a', 'b', 'c']) bench.send(told(request))
    await bench.idle()
    expectEqual(bench.log, ['> a', '> b', '> c'], 'events')
  },

  'prefers neither answers nor events from outside: what came first is fed first': async (bench) => {
    let sent = 0
    const send = (): void => bench.send(told(`sent ${(sent += 1)}`))
    bench.play({
      react: () => (bench.events.length === 1 ? [timer(1), drop('b1'), timer(2), drop('b2')] : []),
      handle: ({ type }) => {
        if (type === 'startTimer') return fired()
        send()
        return undefined
      },
    })
    bench.send(told('go'))
    await bench.idle()
    const events = bench.log.slice(5)
    // An answer may be heard some turns late, like one that was promised, but none overtakes what was sent before its effect began.
    const ordersKept = [
      ['> timerFired #1', '> timerFired #2'],
      ['> sent 1', '> sent 2'],
      ['> sent 1', '> timerFired #2'],
    ]
    for (const pair of ordersKept) {
      expectEqual(
        events.filter((line) => pair.includes(line)),
        pair,
        'events',
      )
    }
    expectEqual(events.length, 4, 'number of events')
  },

  'feeds a shutdown that comes again like any event, and starts what is then asked for': async (bench) => {
    const stop = { type: 'shutdown', reason: 'REQUESTED' } as const
    bench.play({ react: () => [drop(`b${bench.events.length}`)] })
    bench.send(stop)
    bench.send(stop)
    await bench.idle()
    bench.send(stop)
    await bench.idle()
    const twice = ['> shutdown REQUESTED', '! dropBatch b1', '> shutdown REQUESTED', '! dropBatch b2']
    expectEqual(bench.log, [...twice, '> shutdown REQUESTED', '! dropBatch b3'], 'log')
  },

  'feeds an event while effects are out, without waiting for their answers': async (bench) => {
    bench.play({ start: [timer(1)] })
    await bench.idle()
    bench.send(told('meanwhile'))
    await bench.idle()
    bench.answer(1, fired())
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1', '> meanwhile', '> timerFired #1'], 'log')
  },

  'takes each step from the snapshot that the one before it left': async (bench) => {
    bench.play({ start: [timer(1), timer(2)] })
    await bench.idle()
    bench.send(told('a'))
    bench.answer(2, fired())
    bench.send(told('b'))
    bench.answer(1, fired())
    await bench.idle()
    const labels = bench.log.filter((line) => line.startsWith('>')).map((line) => line.slice(2))
    expectEqual(
      bench.befores,
      labels.map((_, index) => labels.slice(0, index)),
      'what the snapshot of each step had heard',
    )
    expectEqual([...labels].sort(), ['a', 'b', 'timerFired #1', 'timerFired #2'], 'events')
  },

  'starts the effects of a step that leaves the snapshot as it was': async (bench) => {
    bench.play({ unmoved: true, react: () => [drop('b1')] })
    bench.send(told('go'))
    await bench.idle()
    expectEqual(bench.log, ['> go', '! dropBatch b1'], 'log')
  },

  'changes nothing in what the machine gives and takes': async (bench) => {
    const effects = [timer(1), timer(2)]
    bench.play({ start: effects, handle: () => Object.freeze(fired()) })
    await bench.idle()
    expectEqual(bench.started, [timer(1), timer(2)], 'effects that the handlers got')
    expectEqual(effects, [timer(1), timer(2)], 'effects of the machine')
    const heard = ['timerFired #1', 'timerFired #2']
    expectEqual(bench.snapshots, [{ heard: [] }, { heard: heard.slice(0, 1) }, { heard }], 'snapshots of the machine')
    expectEqual(bench.log.slice(2), ['> timerFired #1', '> timerFired #2'], 'events')
  },

  'takes 20,000 answers that come at once, one after another, without growing the stack': async (bench) => {
    const answers = 20_000
    bench.mostHappenings = 4 * answers
    bench.play({
      start: [timer(1)],
      unmoved: true,
      react: () => (bench.events.length < answers ? [timer(bench.events.length + 1)] : []),
      handle: () => fired(),
    })
    await bench.idle()
    expectEqual(bench.events.filter(({ type }) => type === 'timerFired').length, answers, 'answers')
  },
}

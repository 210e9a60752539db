import { expectEqual } from '../expectEqual.ts'
import { breakContract } from './endCases.ts'
import { drop, fired, type ScriptedBench, timer, told } from './scripted.ts'

type Cases = Readonly<Record<string, (bench: ScriptedBench) => Promise<void>>>

/** What the observer sees. */
export const observerCases: Cases = {
  'shows the observer every step, from the start on, with its snapshots and effects': async (bench) => {
    bench.play({ start: [timer(1)], react: ({ type }) => (type === 'timerFired' ? [drop('b1')] : []) })
    await bench.idle()
    bench.send(told('a'))
    await bench.idle()
    bench.answer(1, fired())
    await bench.idle()
    const answer = { ...fired(), id: 1 }
    const expected = [
      { event: null, before: null, after: { heard: [] }, effects: [timer(1)] },
      { event: told('a'), before: { heard: [] }, after: { heard: ['a'] }, effects: [] },
      { event: answer, before: { heard: ['a'] }, after: { heard: ['a', 'timerFired #1'] }, effects: [drop('b1')] },
    ]
    expectEqual(bench.observed, expected, 'steps')
  },

  'shows the observer a step before its effects start': async (bench) => {
    bench.play({ start: [drop('b0')], react: () => [drop('b1')], observe: ({ event }) => bench.happen(`? ${event?.type ?? 'start'}`) })
    bench.send(told('a'))
    await bench.idle()
    expectEqual(bench.log, ['? start', '! dropBatch b0', '> a', '? checkpointRequested', '! dropBatch b1'], 'log')
  },

  'shows the observer also a step that changes nothing': async (bench) => {
    bench.play({ unmoved: true })
    bench.send(told('a'))
    await bench.idle()
    expectEqual(
      bench.observed.map(({ event }) => event),
      [null, told('a')],
      'events of the steps',
    )
  },

  'feeds what the observer sends only after the step that it was shown': async (bench) => {
    bench.play({
      react: () => (bench.events.length === 1 ? [drop('b1')] : []),
      observe: ({ event }) => {
        if (event !== null && bench.observed.length === 2) bench.send(told('from the observer'))
      },
    })
    bench.send(told('a'))
    await bench.idle()
    expectEqual(bench.log, ['> a', '! dropBatch b1', '> from the observer'], 'log')
  },
}

/** What an observer that fails leads to. */
export const observerEndCases: Cases = {
  'rejects done when the observer throws, and feeds the machine nothing more': async (bench) => {
    await breakContract(bench, {
      observe: ({ event }) => {
        if (event !== null) throw new Error('broken')
      },
    })
  },
}

/** Beginning in the middle. */
export const restoreCases: Cases = {
  'starts what a restored snapshot awaits before it feeds anything': async (bench) => {
    bench.play({ heard: ['a', 'b'], start: [timer(41), timer(42)], react: () => [timer(43)] })
    bench.send(told('go on'))
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #41', '! startTimer #42', '> go on', '! startTimer #43'], 'log')
  },

  'goes on from a restored snapshot': async (bench) => {
    bench.play({ heard: ['a', 'b'], start: [timer(41)] })
    await bench.idle()
    bench.answer(41, fired())
    await bench.idle()
    expectEqual(bench.befores, [['a', 'b']], 'what the snapshot of the step had heard')
  },
}

import type { ShardEffect } from '@shardwise/machine'
import { expectEqual } from '../expectEqual.ts'
import { drop, fired, type ScriptedBench, timer, told } from './scripted.ts'

type Cases = Readonly<Record<string, (bench: ScriptedBench) => Promise<void>>>

/** After the end of the machine. */
export const endCases: Cases = {
  'feeds what comes after the end, and starts what is then asked for': async (bench) => {
    bench.play({ isDone: (heard) => heard.length > 0, react: () => [drop(`b${bench.events.length}`)] })
    bench.send(told('end'))
    await bench.idle()
    bench.send(told('late'))
    await bench.idle()
    expectEqual(bench.log, ['> end', '! dropBatch b1', '> late', '! dropBatch b2'], 'log')
  },

  'starts every effect of the last step': async (bench) => {
    bench.play({ isDone: (heard) => heard.length > 0, react: () => [drop('b1'), drop('b2')] })
    bench.send(told('end'))
    await bench.idle()
    expectEqual(bench.log, ['> end', '! dropBatch b1', '! dropBatch b2'], 'log')
  },
}

/** What `done` says. */
export const doneCases: Cases = {
  'resolves done when the machine ends, and not before': async (bench) => {
    bench.play({ isDone: (heard) => heard.length > 1 })
    bench.send(told('a'))
    await bench.idle()
    expectEqual(bench.end === undefined, true, 'done is pending before the end')
    bench.send(told('b'))
    await bench.idle()
    expectEqual(bench.end, { snapshot: { heard: ['a', 'b'] } }, 'done')
  },

  'rejects done when the machine throws, and feeds it nothing more': async (bench) => {
    await breakContract(bench, { react: throwing })
  },

  'rejects done when a handler without an answer throws, and feeds the machine nothing more': async (bench) => {
    await breakContract(bench, { react: atFirst(bench, drop('b1')), handle: throwing })
  },

  'rejects done when an answer is not in the table, and does not feed it': async (bench) => {
    await breakContract(bench, { react: atFirst(bench, timer(1)), handle: () => ({ type: 'recordsRead' }) })
  },
}

const broken = new Error('broken')
const throwing = (): never => {
  throw broken
}

/** Asks for an effect at the first event alone, for a driver that feeds what it must not would go round in circles. */
const atFirst = (bench: ScriptedBench, effect: ShardEffect) => (): readonly ShardEffect[] => (bench.events.length === 1 ? [effect] : [])

/** Has a script break a contract at its first event. */
export async function breakContract(bench: ScriptedBench, script: Parameters<ScriptedBench['play']>[0]): Promise<void> {
  bench.mayBreak = true
  bench.play(script)
  bench.send(told('break'))
  await bench.idle()
  expectEqual(bench.end !== undefined && 'error' in bench.end, true, 'done has rejected')
  bench.send(told('again'))
  await bench.idle()
  expectEqual(
    bench.log.filter((line) => line.startsWith('>')),
    ['> break'],
    'events',
  )
}

/** What `done` says of a machine that is taken up after its end. */
export const restoredDoneCases: Cases = {
  'resolves done at once for a snapshot that has ended': async (bench) => {
    bench.play({ heard: ['end'], isDone: (heard) => heard.length > 0 })
    await bench.idle()
    expectEqual(bench.end, { snapshot: { heard: ['end'] } }, 'done')
  },
}

/** What `close` ends. */
export const closeCases: Cases = {
  'feeds neither answers nor events after close': async (bench) => {
    bench.play({ start: [timer(1), timer(2)] })
    await bench.idle()
    bench.close()
    bench.answer(1, fired())
    bench.fail(2, broken)
    bench.send(told('nobody'))
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1', '! startTimer #2'], 'log')
  },

  'starts nothing more of a step whose handler closes it': async (bench) => {
    bench.play({
      react: () => [drop('b1'), drop('b2'), timer(1)],
      handle: ({ type }) => (type === 'dropBatch' ? bench.close() : undefined),
    })
    bench.send(told('go'))
    bench.send(told('nobody'))
    await bench.idle()
    expectEqual(bench.log, ['> go', '! dropBatch b1'], 'log')
  },

  'can be closed twice': async (bench) => {
    bench.play({ start: [timer(1)] })
    await bench.idle()
    bench.close()
    bench.close()
    await bench.idle()
    expectEqual(bench.log, ['! startTimer #1'], 'log')
  },
}

/** What `done` says of a machine that is closed. */
export const closeDoneCases: Cases = {
  'leaves done pending when it is closed': async (bench) => {
    bench.play({ start: [timer(1)], isDone: (heard) => heard.length > 0 })
    await bench.idle()
    bench.close()
    bench.answer(1, fired())
    await bench.idle()
    expectEqual(bench.end === undefined, true, 'done is pending')
  },
}

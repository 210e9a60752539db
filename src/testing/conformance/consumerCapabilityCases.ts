import { restore, type ShardConsumerSnapshot } from '@shardwise/machine'
import { expectEqual } from '../expectEqual.ts'
import type { Handle } from './bench.ts'
import { ConsumerBench, expectSame, liveOn, untilProcessing, untilReading } from './consumer.ts'
import { leaseLost, request, stop } from './goodWorld.ts'
import type { Runtime } from './runtime.ts'

type Cases = Readonly<Record<string, (bench: ConsumerBench, runtime: Runtime) => Promise<void>>>

/** The shard consumer, where effects are aborted. */
export const consumerAbortCases: Cases = {
  'aborts the callback when the lease is lost, and awaits its answer before the consumer goes on': async (bench) => {
    await untilProcessing(bench)
    await bench.tell(request('r1'))
    await bench.reply('writeCheckpoint', { type: 'checkpointRefused' })
    expectEqual(bench.aborted.length, 1, 'effects aborted')
    await bench.reply('processRecords', { type: 'recordsProcessed' })
    await liveOn(bench)
    expectEqual(bench.snapshot.context.outcome, 'leaseLost', 'outcome')
  },

  'aborts a read before it starts what the same step asks for, and leaves the write beside it alone': async (bench) => {
    const abortOf: Handle = (effect, context) => {
      if (effect.type === 'readRecords') context.onAbort(() => bench.happen('aborted'))
    }
    await untilProcessing(bench, abortOf)
    await bench.reply('processRecords', { type: 'recordsProcessed' })
    await bench.reply('startTimer', { type: 'timerFired', nowMs: 0 })
    await bench.tell(request('r1'))
    await bench.tell(stop)
    expectEqual(bench.log.slice(-2), ['aborted', '! notifyShutdownRequested #10'], 'the last happenings')
    expectEqual(bench.aborted.length, 1, 'effects aborted')
  },

  'calls back at once who listens to a read that is aborted already': async (bench) => {
    let listen = (): void => undefined
    let called = 0
    await untilReading(bench, (effect, context) => {
      if (effect.type === 'readRecords') listen = () => context.onAbort(() => (called += 1))
    })
    await bench.tell(stop)
    listen()
    expectEqual(called, 1, 'calls')
  },
}

/** The shard consumer, closed at work. */
export const consumerCloseCases: Cases = {
  'feeds a shard consumer neither answers nor events after close, and starts nothing more': async (bench) => {
    await untilProcessing(bench)
    const { length } = bench.started
    const { id } = bench.snapshot.context.task ?? { id: 0 }
    bench.close()
    bench.answer(id, { type: 'recordsProcessed' })
    bench.send(leaseLost)
    await bench.idle()
    expectEqual(bench.started.slice(length), [], 'effects started after that')
  },
}

/** The shard consumer, closed where effects are aborted. */
export const consumerCloseAbortsCases: Cases = {
  'aborts what a shard consumer has out when it is closed': async (bench) => {
    await untilProcessing(bench)
    await bench.tell(request('r1'))
    bench.close()
    await bench.idle()
    expectEqual(bench.aborted, [6, 7], 'aborted')
  },
}

/** The shard consumer, closed where somebody waits for its end. */
export const consumerCloseDoneCases: Cases = {
  'leaves done of a shard consumer pending when it is closed': async (bench) => {
    await untilProcessing(bench)
    bench.close()
    await bench.idle()
    expectEqual(bench.end === undefined, true, 'done is pending')
  },
}

/** The shard consumer, as an observer sees it. */
export const consumerObserverCases: Cases = {
  'shows the observer the steps of a shard consumer as the machine takes them': async (bench) => {
    bench.begin()
    await bench.compare()
    await liveOn(bench)
    await bench.tell(stop)
    const plain = (steps: typeof bench.observed): unknown[] => JSON.parse(JSON.stringify(steps)) as unknown[]
    expectSame(plain(bench.observed), plain(bench.expectedSteps), 'step')
  },

  'shows the observer the step of a shard consumer before its effects start': async (bench) => {
    bench.begin({ observe: ({ event }) => bench.happen(`? ${event?.type ?? 'start'}`) })
    await bench.compare()
    await bench.reply('checkParentShards', { type: 'parentShardsCompleted' })
    expectEqual(bench.log, ['? start', '! checkParentShards #1', '? parentShardsCompleted', '! readCheckpoint #2'], 'log')
  },

  'shows the observer the failure of a handler by its name and its message': async (bench) => {
    const error = { name: 'TableOffline', message: 'no answer' }
    bench.begin()
    await bench.compare()
    await bench.reject('checkParentShards', Object.assign(new Error(error.message), { name: error.name }))
    expectEqual(bench.observed.at(-1)?.event, { type: 'effectFailed', id: 1, error }, 'event of the last step')
  },

  'shows the observer a request to shut down that comes again': async (bench) => {
    await untilProcessing(bench)
    await bench.tell(stop)
    await bench.tell(stop)
    expectEqual(
      bench.observed.slice(-2).map(({ event }) => event),
      [stop, stop],
      'events of the last steps',
    )
  },
}

/** The shard consumer, at its end and where a contract is broken. */
export const consumerEndCases: Cases = {
  'resolves done when a shard consumer ends, and not before': async (bench) => {
    bench.begin()
    await bench.compare()
    await liveOn(bench, () => expectEqual(bench.end === undefined, true, 'done is pending before the end'))
    expectEqual(bench.end !== undefined && 'snapshot' in bench.end, true, 'done has resolved')
  },

  'rejects done when a handler answers a shard consumer outside the table, and starts nothing more': async (bench) => {
    await untilProcessing(bench)
    await breakContract(bench, { type: 'recordsRead' })
  },

  'rejects done when a shard consumer drops a batch and the handler throws, and starts nothing more': async (bench) => {
    const dropBatchThrows: Handle = ({ type }) => {
      if (type === 'dropBatch') throw new Error('broken')
    }
    await untilProcessing(bench, dropBatchThrows)
    await breakContract(bench, { type: 'recordsProcessed' })
  },
}

/** The shard consumer, where its observer fails. */
export const consumerObserverEndCases: Cases = {
  'rejects done when the observer of a shard consumer throws, and starts nothing more': async (bench) => {
    bench.begin({
      observe: ({ event }) => {
        if (event !== null) throw new Error('broken')
      },
    })
    await bench.compare()
    await breakContract(bench, { type: 'parentShardsCompleted' })
  },
}

/** Has what is out be answered so that a contract is broken, and looks whether the driver stops there. */
async function breakContract(bench: ConsumerBench, answer: object): Promise<void> {
  bench.mayBreak = true
  bench.answer(bench.snapshot.context.task?.id ?? 0, answer)
  await bench.idle()
  expectEqual(bench.end !== undefined && 'error' in bench.end, true, 'done has rejected')
  const { length } = bench.started
  bench.send(leaseLost)
  await bench.idle()
  expectEqual(bench.started.slice(length), [], 'effects started after that')
}

/** The shard consumer, taken up from a stored snapshot. */
export const consumerRestoreCases: Cases = {
  'takes a shard consumer up from the JSON of any of its snapshots, and leads it to the end': async (bench, runtime) => {
    const stored: string[] = []
    bench.begin()
    await bench.compare()
    await liveOn(bench, (snapshot) => stored.push(JSON.stringify(snapshot)))
    for (const text of stored) {
      const restored = new ConsumerBench(runtime)
      restored.begin({ from: restore(JSON.parse(text) as ShardConsumerSnapshot) })
      await restored.compare()
      await liveOn(restored)
      expectEqual(restored.snapshot.context.outcome, 'finished', 'outcome')
    }
  },

  'settles the checkpoint that an earlier process asked for, and goes on': async (bench, runtime) => {
    await untilProcessing(bench)
    await bench.tell(request('of the earlier process'))
    const restored = new ConsumerBench(runtime)
    restored.begin({ from: restore(JSON.parse(JSON.stringify(bench.snapshot)) as ShardConsumerSnapshot) })
    await restored.compare()
    await restored.reply('writeCheckpoint', { type: 'checkpointWritten' })
    expectEqual(restored.log.at(-1), '! settleCheckpoint of the earlier process', 'the last effect')
    await liveOn(restored)
  },
}

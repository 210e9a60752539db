import type { ShardEvent } from '@shardwise/machine'
import { expectEqual } from '../expectEqual.ts'
import type { Handle } from './bench.ts'
import { ConsumerBench, expectSame, liveOn, untilInitializing, untilProcessing, untilReading } from './consumer.ts'
import { type AwaitedEffect, aBatch, goodAnswer, input, leaseLost, request, requestDuring, stop } from './goodWorld.ts'
import type { Runtime } from './runtime.ts'

type Cases = Readonly<Record<string, (bench: ConsumerBench, runtime: Runtime) => Promise<void>>>

const burst = Array.from({ length: 100 }, (_, index) => request(`r${index}`))

/** Sends events from inside the first handler of that type. */
function sendingFrom(bench: ConsumerBench, type: string, events: readonly ShardEvent[]): Handle {
  const unsent = [...events]
  return (effect) => {
    if (effect.type !== type) return
    for (const event of unsent.splice(0)) bench.send(event)
  }
}

/** The shard consumer itself, led by hand. */
export const consumerCases: Cases = {
  'leads a shard consumer to the end of its shard with exactly the effects that its steps give': async (bench) => {
    bench.begin()
    await bench.compare()
    await liveOn(bench)
    expectEqual(bench.snapshot.context.outcome, 'finished', 'outcome')
  },

  'leads it there as well when every handler answers at once, and the processor asks for checkpoints in its callbacks': async (bench) => {
    bench.begin({
      handle: (effect) => {
        // The first one is answered by hand, for a runtime takes events only once it runs.
        if (effect.type === 'checkParentShards' || !('id' in effect)) return undefined
        const name = requestDuring(effect)
        if (name !== null) bench.send(request(name))
        return goodAnswer(effect as AwaitedEffect)
      },
    })
    await bench.compare()
    bench.answer(1, { type: 'parentShardsCompleted' })
    await bench.idle()
    expectSame(
      bench.log.map((line) => line.slice(2)),
      lifeAtOnce,
      'effect',
    )
  },

  'has a callback and a checkpoint write out at once, and takes their answers in either order': async (bench, runtime) => {
    await untilProcessing(bench)
    await bench.tell(request('r1'))
    await bench.reply('processRecords', { type: 'recordsProcessed' })
    await bench.reply('writeCheckpoint', { type: 'checkpointWritten' })
    const other = new ConsumerBench(runtime)
    await untilProcessing(other)
    await other.tell(request('r1'))
    await other.reply('writeCheckpoint', { type: 'checkpointWritten' })
    await other.reply('processRecords', { type: 'recordsProcessed' })
  },

  'treats a stop as an event: what the processor is doing goes on, and its answer is awaited': async (bench) => {
    await untilProcessing(bench)
    await bench.tell(stop)
    expectEqual(bench.aborted, [], 'effects aborted')
    await bench.reply('processRecords', { type: 'recordsProcessed' })
    await bench.reply('notifyShutdownRequested', { type: 'shutdownRequestedNotified' })
    await bench.tell(leaseLost)
    await liveOn(bench)
    expectEqual(bench.started.at(-1)?.type, 'signalShutdownComplete', 'the last effect')
  },

  'feeds the late answer of a read that was cancelled, which changes nothing': async (bench) => {
    await untilReading(bench)
    await bench.tell(stop)
    await bench.reply('readRecords', { type: 'recordsRead', batch: aBatch(0, 9) })
    await bench.reply('notifyShutdownRequested', { type: 'shutdownRequestedNotified' })
  },

  'lets the machine decide what follows a handler that rejects': async (bench) => {
    await untilReading(bench)
    await bench.reject('readRecords', new Error('the network is down'))
    await bench.reply('startTimer', { type: 'timerFired', nowMs: 0 })
    await bench.reply('readRecords', { type: 'recordsRead', batch: aBatch(0, 9) })
  },

  'lets the machine decide what follows a handler that throws at once': async (bench) => {
    const error = { name: 'TableOffline', message: 'no answer' }
    let throws = true
    bench.begin({
      handle: ({ type }) => {
        if (type !== 'readCheckpoint' || !throws) return undefined
        throws = false
        throw Object.assign(new Error(error.message), { name: error.name })
      },
    })
    await bench.compare()
    await bench.reply('checkParentShards', { type: 'parentShardsCompleted' }, [{ type: 'effectFailed', id: 2, error }])
    await bench.reply('startTimer', { type: 'timerFired', nowMs: 0 })
    await liveOn(bench)
  },

  'names an answer to a shard consumer by its effect, whatever id the handler put into it': async (bench) => {
    bench.begin()
    await bench.compare()
    bench.expectStep({ type: 'parentShardsCompleted', id: 1 })
    bench.answer(1, { type: 'parentShardsCompleted', id: 99 })
    await bench.compare()
  },

  'takes a pause and its end as events: what is read meanwhile is held': async (bench) => {
    await untilReading(bench)
    await bench.tell({ type: 'pause' })
    await bench.reply('readRecords', { type: 'recordsRead', batch: aBatch(0, 9) })
    expectEqual(bench.started.at(-1)?.type, 'readRecords', 'the last effect')
    await bench.tell({ type: 'resume' })
    expectEqual(bench.started.at(-1)?.type, 'processRecords', 'the last effect')
    await liveOn(bench)
  },

  'takes a hundred events that come while a step is being taken: all of them, in their order': async (bench) => {
    await untilReading(bench, sendingFrom(bench, 'processRecords', burst))
    await bench.reply('readRecords', { type: 'recordsRead', batch: aBatch(0, 9) }, burst)
    await bench.reply('processRecords', { type: 'recordsProcessed' })
    await liveOn(bench)
  },

  'takes a request to shut down and the loss of the lease as two events, also when they come in one turn': async (bench, runtime) => {
    await untilReading(bench)
    bench.expectStep(stop)
    bench.send(stop)
    await bench.tell(leaseLost)
    const other = new ConsumerBench(runtime)
    await untilInitializing(other, sendingFrom(other, 'readRecords', [stop, leaseLost]))
    await other.reply('initialize', { type: 'initialized' }, [stop, leaseLost])
    for (const each of [bench, other]) {
      await each.reply('notifyShutdownRequested', { type: 'shutdownRequestedNotified' })
      await liveOn(each)
    }
  },

  'feeds the failure of a callback that was cancelled, which the consumer awaits': async (bench) => {
    await untilProcessing(bench)
    await bench.tell(leaseLost)
    await bench.reject('processRecords', Object.assign(new Error('the callback was cancelled'), { name: 'AbortError' }))
    await liveOn(bench)
  },

  'takes a request to shut down after the end, and starts its answer': async (bench) => {
    bench.begin()
    await bench.compare()
    await liveOn(bench)
    await bench.tell(stop)
    expectEqual(bench.started.at(-1)?.type, 'signalShutdownComplete', 'the last effect')
  },

  'takes a request for a checkpoint after the end, and starts its refusal': async (bench) => {
    bench.begin()
    await bench.compare()
    await liveOn(bench)
    await bench.tell(request('late'))
    expectEqual(bench.started.at(-1)?.type, 'settleCheckpoint', 'the last effect')
  },

  'leads a batch that fails through its parts and the dead letter, as the error policy says': async (bench) => {
    const error = { name: 'TypeError', message: 'cannot be read' }
    await untilReading(bench, undefined, {
      ...input,
      options: { maxDeliveryAttempts: 1, bisectBatchOnError: true, deadLetter: true, onDeliveryFailure: 'skip' },
    })
    await bench.reply('readRecords', { type: 'recordsRead', batch: aBatch(0, 1) })
    await bench.reply('processRecords', { type: 'recordsFailed', error })
    await bench.reply('splitBatch', { type: 'batchSplit', batch: { ...aBatch(0, 0), batchId: 'part' } })
    await bench.reply('processRecords', { type: 'recordsFailed', error })
    await bench.reply('deliverDeadLetter', { type: 'deadLetterFailed', error })
    await bench.reply('startTimer', { type: 'timerFired', nowMs: 0 })
    await bench.reject('deliverDeadLetter', new Error('the queue is down'))
    await bench.reply('startTimer', { type: 'timerFired', nowMs: 0 })
    await bench.reply('deliverDeadLetter', { type: 'deadLetterDelivered' })
    await bench.reply('processRecords', { type: 'recordsProcessed' })
    expectEqual(
      bench.log.filter((line) => line.startsWith('! dropBatch')),
      ['! dropBatch part', '! dropBatch b0'],
      'batches freed',
    )
    await liveOn(bench)
  },

  'runs two consumers side by side, whose effects have the same ids, without mixing them up': async (bench, runtime) => {
    const other = new ConsumerBench(runtime)
    await untilReading(bench)
    await untilProcessing(other)
    await bench.reply('readRecords', { type: 'recordsRead', batch: aBatch(0, 9) })
    await other.tell(leaseLost)
    await bench.compare()
    await bench.tell(request('r1'))
    await other.reply('processRecords', { type: 'recordsProcessed' })
    await bench.compare()
    await liveOn(bench)
    await liveOn(other)
    expectEqual(
      [bench, other].map(({ snapshot }) => snapshot.context.outcome),
      ['finished', 'leaseLost'],
      'outcomes',
    )
  },
}

/** The effects of a whole life in which every answer comes at once. */
const lifeAtOnce: readonly string[] = [
  'checkParentShards #1',
  'readCheckpoint #2',
  'openShard #3',
  'initialize #4',
  'readRecords #5',
  'processRecords #6',
  'writeCheckpoint #7',
  'dropBatch b0',
  'startTimer #8',
  'settleCheckpoint during processRecords #6',
  'readRecords #9',
  'processRecords #10',
  'writeCheckpoint #11',
  'dropBatch b10',
  'createChildLeases #12',
  'settleCheckpoint during processRecords #10',
  'notifyShardEnded #13',
  'writeCheckpoint #14',
  'settleCheckpoint during notifyShardEnded #13',
  'closeShard #15',
]

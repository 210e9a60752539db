import type { RecordProcessor } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import {
  aProcessor,
  aRecord,
  at,
  host,
  hostInitialized,
  initialize,
  noSignal,
  notifyLeaseLost,
  notifyShardEnded,
  notifyShutdownRequested,
  shardId,
} from './processorSetting.ts'

describe('initialize', () => {
  it('hears where the shard starts', async () => {
    const inputs: unknown[] = []
    const { handlers } = host(aProcessor({ initialize: (input) => void inputs.push(input) }))
    expect(await handlers.initialize(initialize, noSignal)).toEqual({ type: 'initialized' })
    await handlers.initialize({ ...initialize, checkpoint: at('5', 2), pendingCheckpoint: at('9') }, noSignal)
    expect(inputs).toEqual([
      { shardId, extendedSequenceNumber: at('TRIM_HORIZON'), pendingCheckpointSequenceNumber: undefined, token: 3 },
      { shardId, extendedSequenceNumber: at('5', 2), pendingCheckpointSequenceNumber: at('9'), token: 3 },
    ])
  })

  it('leaves a processor that failed to initialise without any other call, until it succeeds', async () => {
    const called: string[] = []
    const note = (name: string) => () => void called.push(name)
    let works = false
    const { handlers, processRecords } = host({
      initialize: () => {
        if (!works) throw new Error('not yet')
      },
      processRecords: note('processRecords'),
      leaseLost: note('leaseLost'),
      shardEnded: note('shardEnded'),
      shutdownRequested: note('shutdownRequested'),
    })
    const others = async () => [
      await handlers.processRecords(processRecords([aRecord('1')]), noSignal),
      await handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal),
      await handlers.notifyLeaseLost(notifyLeaseLost, noSignal),
      await handlers.notifyShardEnded(notifyShardEnded, noSignal),
    ]
    const gone = Array.from({ length: 4 }, () => ({ type: 'processorGone' }))
    expect(await others()).toEqual(gone)
    expect(await handlers.initialize(initialize, noSignal)).toEqual({
      type: 'initializeFailed',
      error: { name: 'Error', message: 'not yet' },
    })
    expect(await others()).toEqual(gone)
    expect(called).toEqual([])
    works = true
    await handlers.initialize(initialize, noSignal)
    await others()
    expect(called).toEqual(['processRecords', 'shutdownRequested', 'leaseLost', 'shardEnded'])
  })
})

describe('processRecords', () => {
  it('hands the very records over, with what is known of their batch', async () => {
    const { handlers, processRecords, inputs } = await hostInitialized()
    const records = [aRecord('1'), aRecord('2')]
    const childShards = [{ shardId: 'shardId-1', parentShardIds: [shardId], hashKeyRange: { startingHashKey: '0', endingHashKey: '1' } }]
    const effect = processRecords(records, { millisBehindLatest: 1500, atShardEnd: true, childShards, attempt: 2 })
    expect(await handlers.processRecords(effect, noSignal)).toEqual({ type: 'recordsProcessed' })
    const [input] = inputs
    expect(input?.records).toBe(records)
    expect([input?.shardId, input?.millisBehindLatest, input?.isAtShardEnd, input?.childShards, input?.attempt]).toEqual([
      shardId,
      1500,
      true,
      childShards,
      2,
    ])
  })

  it('says undefined where Kinesis did not say how far behind the batch is', async () => {
    const { handlers, processRecords, inputs } = await hostInitialized()
    await handlers.processRecords(processRecords([aRecord('1')], { millisBehindLatest: null }), noSignal)
    expect(inputs[0]?.millisBehindLatest).toBeUndefined()
  })

  it('hands over only what is above `after`, user records inside an aggregate included', async () => {
    const { handlers, processRecords, inputs } = await hostInitialized()
    const records = [aRecord('9'), aRecord('10', 0), aRecord('10', 1), aRecord('10', 2), aRecord('11')]
    await handlers.processRecords(processRecords(records, { after: at('10', 1) }), noSignal)
    await handlers.processRecords(processRecords(records, { after: at('TRIM_HORIZON') }), noSignal)
    expect(inputs[0]?.records).toEqual([aRecord('10', 2), aRecord('11')])
    expect(inputs[0]?.records[0]).toBe(records[3])
    expect(inputs[1]?.records).toBe(records)
  })

  it('does not call the processor for a batch that a checkpoint has covered meanwhile', async () => {
    const { handlers, processRecords, inputs } = await hostInitialized()
    const effect = processRecords([aRecord('1'), aRecord('2')], { after: at('2'), attempt: 1 })
    expect(await handlers.processRecords(effect, noSignal)).toEqual({ type: 'recordsProcessed' })
    expect(inputs).toEqual([])
  })

  it('does call it for a batch that was empty from the start', async () => {
    const { handlers, processRecords, inputs } = await hostInitialized()
    await handlers.processRecords(processRecords([], { after: at('2') }), noSignal)
    expect(inputs[0]?.records).toEqual([])
  })

  it('answers batchGone for a batch that was dropped, or whose id now names one of another shard', async () => {
    const { handlers, processRecords, batches, inputs } = await hostInitialized()
    const dropped = processRecords([aRecord('1')])
    batches.drop(dropped.batch.batchId)
    expect(await handlers.processRecords(dropped, noSignal)).toEqual({ type: 'batchGone' })
    expect(await handlers.processRecords(processRecords([aRecord('1')], { ofShard: 'shardId-9' }), noSignal)).toEqual({ type: 'batchGone' })
    expect(inputs).toEqual([])
  })

  it('keeps the batch, so that a failed one can be handed over again', async () => {
    const { handlers, processRecords, batches } = await hostInitialized()
    const effect = processRecords([aRecord('1')])
    await handlers.processRecords(effect, noSignal)
    expect(batches.take(effect.batch.batchId)).toBeDefined()
  })
})

describe('the signal of a callback', () => {
  it('is made only when the processor asks for it, and is the one of its effect', async () => {
    const { signal } = new AbortController()
    let asked = 0
    const context = {
      get signal() {
        asked += 1
        return signal
      },
      onAbort: () => undefined,
    }
    let wanted = false
    const given: unknown[] = []
    const look = (input: { readonly signal: AbortSignal }) => {
      if (wanted) given.push(input.signal)
    }
    const { handlers, processRecords } = await hostInitialized({ processRecords: look, shardEnded: look, shutdownRequested: look })
    const callAll = async () => {
      await handlers.processRecords(processRecords([aRecord('1')]), context)
      await handlers.notifyShutdownRequested(notifyShutdownRequested, context)
      await handlers.notifyShardEnded(notifyShardEnded, context)
    }
    await callAll()
    expect(asked).toBe(0)
    wanted = true
    await callAll()
    expect(given).toEqual([signal, signal, signal])
  })
})

describe('the end of a consumer', () => {
  it('hands leaseLost an empty input, and shardEnded the attempt and a checkpointer', async () => {
    const inputs: unknown[] = []
    const attempts: number[] = []
    const { handlers } = await hostInitialized({
      leaseLost: (input) => void inputs.push(input),
      shardEnded: ({ attempt, checkpointer }) => void attempts.push(checkpointer === undefined ? -1 : attempt),
    })
    expect(await handlers.notifyLeaseLost(notifyLeaseLost, noSignal)).toEqual({ type: 'leaseLostNotified' })
    expect(await handlers.notifyShardEnded({ ...notifyShardEnded, attempt: 4 }, noSignal)).toEqual({ type: 'shardEndedNotified' })
    expect([inputs, attempts]).toEqual([[{}], [4]])
  })

  it('takes a processor without shutdownRequested for told', async () => {
    const { handlers } = await hostInitialized()
    expect(await handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal)).toEqual({ type: 'shutdownRequestedNotified' })
  })
})

class Hiccup extends Error {
  override readonly name = 'Hiccup'
}
const circular: { self?: unknown } = {}
circular.self = circular
const thrownAndHeard: [string, unknown, { name: string; message: string }][] = [
  ['an error', new Hiccup('again'), { name: 'Hiccup', message: 'again' }],
  [
    'an error of another realm',
    { name: 'TypeError', message: 'x is not a function' },
    { name: 'TypeError', message: 'x is not a function' },
  ],
  ['a text', 'oh no', { name: 'Error', message: 'oh no' }],
  ['undefined', undefined, { name: 'Error', message: 'undefined' }],
  ['null', null, { name: 'Error', message: 'null' }],
  ['a plain object', { code: 7 }, { name: 'Error', message: '{"code":7}' }],
  ['an object that refers to itself', circular, { name: 'Error', message: 'a value that cannot be printed' }],
  ['a symbol', Symbol('s'), { name: 'Error', message: 'Symbol(s)' }],
]

describe.each<[keyof RecordProcessor, string]>([
  ['initialize', 'initializeFailed'],
  ['processRecords', 'recordsFailed'],
  ['shutdownRequested', 'shutdownRequestedFailed'],
  ['leaseLost', 'leaseLostFailed'],
  ['shardEnded', 'shardEndedFailed'],
])('a failing %s', (method, answer) => {
  const outcome = async (callback: () => void | Promise<void>) => {
    const { handlers, processRecords } = host(aProcessor({ [method]: callback }))
    const first = await handlers.initialize(initialize, noSignal)
    if (method === 'initialize') return first
    if (method === 'processRecords') return handlers.processRecords(processRecords([aRecord('1')]), noSignal)
    if (method === 'leaseLost') return handlers.notifyLeaseLost(notifyLeaseLost, noSignal)
    if (method === 'shardEnded') return handlers.notifyShardEnded(notifyShardEnded, noSignal)
    return handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal)
  }

  it.each(thrownAndHeard)(`answers ${answer} with the facts of %s, thrown or rejected`, async (_, thrown, error) => {
    const throwing = () => {
      throw thrown
    }
    expect(await outcome(throwing)).toEqual({ type: answer, error })
    expect(await outcome(async () => throwing())).toEqual({ type: answer, error })
  })
})

it('calls the processor as its own methods, one that is an instance of a class included', async () => {
  class Counter implements RecordProcessor {
    #seen = 0
    initialize() {
      this.#seen = 0
    }
    processRecords() {
      this.#seen += 1
    }
    leaseLost() {
      throw new Error(`seen ${this.#seen}`)
    }
    shardEnded() {}
  }
  const { handlers, processRecords } = host(new Counter())
  await handlers.initialize(initialize, noSignal)
  await handlers.processRecords(processRecords([aRecord('1')]), noSignal)
  expect(await handlers.notifyLeaseLost(notifyLeaseLost, noSignal)).toEqual({
    type: 'leaseLostFailed',
    error: { name: 'Error', message: 'seen 1' },
  })
})

it('gives handlers that survive being spread into those of a whole consumer', async () => {
  const handlers = { ...host(aProcessor()).handlers }
  expect(Object.keys(handlers).sort()).toEqual([
    'deliverDeadLetter',
    'initialize',
    'notifyLeaseLost',
    'notifyShardEnded',
    'notifyShutdownRequested',
    'processRecords',
    'settleCheckpoint',
  ])
  expect(await handlers.initialize(initialize, noSignal)).toEqual({ type: 'initialized' })
})

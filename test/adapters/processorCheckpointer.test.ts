import { createBatchStore } from '@shardwise/effects'
import { hostRecordProcessor } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aProcessor, aRecord, at, host, initialize, noSignal, settleCheckpoint, shardId, withCheckpointer } from './processorSetting.ts'

const kclNames = [
  'ShutdownException',
  'ThrottlingException',
  'InvalidStateException',
  'KinesisClientLibDependencyException',
  'IllegalArgumentException',
]

/** What a promise has come to by now. */
async function stateOf(promise: Promise<void>): Promise<string> {
  return Promise.race([
    promise.then(
      () => 'resolved',
      (error: Error) => error.name,
    ),
    new Promise<string>((resolve) => setImmediate(resolve, 'waiting')),
  ])
}

describe('a checkpoint', () => {
  it('becomes one event for each call, with a request of its own', async () => {
    const { checkpointer, sent, close } = await withCheckpointer()
    const calls = [
      checkpointer.checkpoint(),
      checkpointer.checkpoint('007'),
      checkpointer.checkpoint('7', 3),
      checkpointer.checkpoint('7', undefined),
      checkpointer.checkpoint(aRecord('7', 5)),
      checkpointer.checkpoint('SHARD_END'),
    ]
    expect(sent.map(({ type, position }) => [type, position])).toEqual([
      ['checkpointRequested', null],
      ['checkpointRequested', at('7')],
      ['checkpointRequested', at('7', 3)],
      ['checkpointRequested', at('7')],
      ['checkpointRequested', at('7', 5)],
      ['checkpointRequested', at('SHARD_END')],
    ])
    expect(new Set(sent.map(({ request }) => request)).size).toBe(6)
    expect(JSON.parse(JSON.stringify(sent))).toEqual(sent)
    close()
    await Promise.allSettled(calls)
  })

  it('waits until its own request is settled', async () => {
    const { checkpointer, sent, handlers } = await withCheckpointer()
    const first = checkpointer.checkpoint('1')
    const second = checkpointer.checkpoint('2')
    handlers.settleCheckpoint(settleCheckpoint(sent[1]?.request ?? ''))
    expect([await stateOf(first), await stateOf(second)]).toEqual(['waiting', 'resolved'])
    handlers.settleCheckpoint(settleCheckpoint(sent[0]?.request ?? ''))
    expect(await stateOf(first)).toBe('resolved')
  })

  it.each(kclNames)('rejects with an Error named %s when its request is settled so', async (name) => {
    const { checkpointer, sent, handlers } = await withCheckpointer()
    const call = checkpointer.checkpoint()
    handlers.settleCheckpoint(settleCheckpoint(sent[0]?.request ?? '', { name, message: 'told by the machine' }))
    const error: unknown = await call.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name, message: 'told by the machine' })
  })

  it('settles when the machine answers while the event is being sent', async () => {
    const inputs: { checkpoint(): Promise<void> }[] = []
    const hosted = hostRecordProcessor({
      processor: aProcessor({ shardEnded: ({ checkpointer }) => void inputs.push(checkpointer) }),
      shardId,
      batches: createBatchStore(),
      send: (event) => event.type === 'checkpointRequested' && hosted.handlers.settleCheckpoint(settleCheckpoint(event.request)),
    })
    await hosted.handlers.initialize(initialize, noSignal)
    await hosted.handlers.notifyShardEnded({ type: 'notifyShardEnded', id: 2, shardId, attempt: 0 }, noSignal)
    await expect(inputs[0]?.checkpoint()).resolves.toBeUndefined()
  })

  it('can be awaited inside a callback, and fails it when it fails', async () => {
    const { handlers, sent, processRecords } = host(aProcessor({ processRecords: ({ checkpointer }) => checkpointer.checkpoint() }))
    await handlers.initialize(initialize, noSignal)
    const answer = handlers.processRecords(processRecords([aRecord('1')]), noSignal)
    handlers.settleCheckpoint(settleCheckpoint(sent[0]?.request ?? '', { name: 'ThrottlingException', message: 'slow down' }))
    expect(await answer).toEqual({ type: 'recordsFailed', error: { name: 'ThrottlingException', message: 'slow down' } })
  })

  it('ignores a settlement of a request that nobody waits for', async () => {
    const { checkpointer, sent, handlers } = await withCheckpointer()
    handlers.settleCheckpoint(settleCheckpoint('r1'))
    const call = checkpointer.checkpoint()
    const { request } = sent[0] ?? { request: '' }
    handlers.settleCheckpoint(settleCheckpoint(`${request}0`))
    expect(await stateOf(call)).toBe('waiting')
    handlers.settleCheckpoint(settleCheckpoint(request))
    handlers.settleCheckpoint(settleCheckpoint(request, { name: 'ShutdownException', message: 'twice' }))
    expect(await stateOf(call)).toBe('resolved')
  })

  it('rejects with what sending the event throws', async () => {
    const inputs: { checkpoint(): Promise<void> }[] = []
    const hosted = hostRecordProcessor({
      processor: aProcessor({ shardEnded: ({ checkpointer }) => void inputs.push(checkpointer) }),
      shardId,
      batches: createBatchStore(),
      send: () => {
        throw new Error('broken machine')
      },
    })
    await hosted.handlers.initialize(initialize, noSignal)
    await hosted.handlers.notifyShardEnded({ type: 'notifyShardEnded', id: 2, shardId, attempt: 0 }, noSignal)
    await expect(inputs[0]?.checkpoint()).rejects.toThrow('broken machine')
  })
})

describe('a malformed checkpoint', () => {
  it.each<[string, readonly unknown[]]>([
    ['undefined, which is not everything delivered', [undefined]],
    ['null', [null]],
    ['a number, which has lost its last digits', [Number('49590338271490256608')]],
    ['a bigint', [7n]],
    ['an empty text', ['']],
    ['a negative number', ['-1']],
    ['a text that is no number', ['bogus']],
    ['a sentinel that would skip data', ['LATEST']],
    ['the oldest record', ['TRIM_HORIZON']],
    ['a time', ['AT_TIMESTAMP']],
    ['a negative sub-sequence number', ['1', -1]],
    ['a fractional sub-sequence number', ['1', 0.5]],
    ['a sub-sequence number that is text', ['1', '2']],
    ['a record without a sub-sequence number', [{ sequenceNumber: '1' }]],
    ['a record of the SDK', [{ SequenceNumber: '1' }]],
    ['a record with a second argument', [aRecord('1'), 2]],
    ['a list', [['1']]],
  ])('rejects with IllegalArgumentException and sends no event: %s', async (_, args) => {
    const { checkpointer, sent } = await withCheckpointer()
    const call: unknown = Reflect.apply(checkpointer.checkpoint, checkpointer, args)
    await expect(call).rejects.toMatchObject({ name: 'IllegalArgumentException', message: expect.stringMatching(/^checkpoint: /) })
    expect(sent).toEqual([])
  })
})

describe('after the end of the consumer', () => {
  it('rejects the checkpoints that wait, and later ones without an event, with ShutdownException', async () => {
    const { checkpointer, sent, close, handlers } = await withCheckpointer()
    const waiting = [checkpointer.checkpoint(), checkpointer.checkpoint('1')]
    close()
    expect(await Promise.all([...waiting, checkpointer.checkpoint()].map(stateOf))).toEqual(Array(3).fill('ShutdownException'))
    expect(sent).toHaveLength(2)
    handlers.settleCheckpoint(settleCheckpoint(sent[0]?.request ?? ''))
    close()
  })
})

describe('rejections that nobody handles', () => {
  /** The names of the errors whose rejection nobody has handled after `act`. */
  const unhandledAfter = async (act: () => void): Promise<string[]> => {
    const names: string[] = []
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (error: Error) => void names.push(error.name))
    act()
    await new Promise((resolve) => setImmediate(resolve))
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
    return names
  }

  it('are those of checkpoints that the caller does not await: each surfaces once', async () => {
    const { checkpointer, close } = await withCheckpointer()
    expect(
      await unhandledAfter(() => {
        void checkpointer.checkpoint('bogus')
        void checkpointer.checkpoint()
        close()
      }),
    ).toEqual(['IllegalArgumentException', 'ShutdownException'])
  })

  it('are none of ours when the caller handles its own', async () => {
    const { checkpointer, close } = await withCheckpointer()
    expect(
      await unhandledAfter(() => {
        checkpointer.checkpoint().catch(() => undefined)
        checkpointer.checkpoint('bogus').catch(() => undefined)
        close()
      }),
    ).toEqual([])
  })
})

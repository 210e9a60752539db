import { eachBatch, eachRecord, iterate, lambdaRecords, type RecordProcessor } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aRecord, host, hostInitialized, initialize, noSignal, shardId } from './processorSetting.ts'

describe('pause', () => {
  it('asks for a pause, and its function for the resumption, also after the callback', async () => {
    const { handlers, inputs, pauses, processRecords } = await hostInitialized()
    await handlers.processRecords(processRecords([aRecord('1')]), noSignal)
    const { pause = () => () => undefined } = inputs[0] ?? {}

    const resume = pause()
    expect(pauses).toEqual(['pause'])
    resume()
    resume()
    expect(pauses).toEqual(['pause', 'resume', 'resume'])
  })

  it('that several ask for ends with the last of them', async () => {
    const { handlers, inputs, pauses, processRecords } = await hostInitialized()
    await handlers.processRecords(processRecords([aRecord('1')]), noSignal)
    const { pause = () => () => undefined } = inputs[0] ?? {}

    const [long, brief] = [pause(), pause()]
    brief()
    brief()
    expect(pauses).toEqual(['pause', 'pause'])
    long()
    expect(pauses).toEqual(['pause', 'pause', 'resume'])
  })

  it('of an earlier batch, which ended otherwise, neither ends a later one nor holds it up', async () => {
    const { handlers, inputs, pauses, processRecords } = await hostInitialized()
    const pauseIn = async (sequenceNumber: string): Promise<() => void> => {
      await handlers.processRecords(processRecords([aRecord(sequenceNumber)]), noSignal)
      return inputs.at(-1)?.pause() ?? (() => undefined)
    }
    const [early, late] = [await pauseIn('1'), await pauseIn('2')]

    early()
    expect(pauses).toEqual(['pause', 'pause'])
    late()
    expect(pauses).toEqual(['pause', 'pause', 'resume'])
  })

  const eventSourceARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'
  const manual = { checkpoint: 'manual' } as const
  const paused: (() => void)[] = []
  it.each<[string, (shardId: string) => RecordProcessor]>([
    ['eachBatch', eachBatch((_, { pause }) => void paused.push(pause()), manual)],
    ['eachRecord', eachRecord((_, { pause }) => void paused.push(pause()), manual)],
    [
      'iterate',
      iterate(async (records, { pause }) => {
        for await (const _ of records) paused.push(pause())
      }, manual),
    ],
    ['lambdaRecords', lambdaRecords((_, { pause }) => void paused.push(pause()), { eventSourceARN, ...manual })],
  ])('is in the context of %s', async (_, make) => {
    paused.length = 0
    const { handlers, pauses, processRecords } = host(make(shardId))
    await handlers.initialize(initialize, noSignal)
    const context = { signal: new AbortController().signal, onAbort: () => undefined }

    expect(await handlers.processRecords(processRecords([aRecord('1')]), context)).toEqual({ type: 'recordsProcessed' })
    expect(pauses).toEqual(['pause'])
    for (const resume of paused) resume()
    expect(pauses).toEqual(['pause', 'resume'])
  })
})

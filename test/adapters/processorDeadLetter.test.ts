import type { EffectOf } from '@shardwise/effects'
import { createBatchStore } from '@shardwise/effects'
import { type DeadLetterInput, hostRecordProcessor } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aProcessor, aRecord, at, host, hostInitialized, noSignal, shardId } from './processorSetting.ts'

const error = { name: 'TypeError', message: 'cannot be read' }
const letterOf = ({ batch, after }: EffectOf<'processRecords'>): EffectOf<'deliverDeadLetter'> => ({
  type: 'deliverDeadLetter',
  id: 3,
  shardId,
  batch,
  after,
  attempts: 4,
  error,
})

describe('a dead letter', () => {
  it('brings what is left of the batch, the attempts and the last error', async () => {
    const letters: DeadLetterInput[] = []
    const hosted = await hostInitialized({ deadLetter: (letter) => void letters.push(letter) })
    const effect = letterOf(hosted.processRecords([aRecord('1'), aRecord('2'), aRecord('3')], { after: at('1') }))

    expect(await hosted.handlers.deliverDeadLetter(effect, noSignal)).toEqual({ type: 'deadLetterDelivered' })
    expect(letters.map(({ records, attempts, error: last, shardId: of }) => ({ records, attempts, last, of }))).toEqual([
      { records: [aRecord('2'), aRecord('3')], attempts: 4, last: error, of: shardId },
    ])
  })

  it('that is not taken is answered with the reason', async () => {
    const hosted = await hostInitialized({ deadLetter: () => Promise.reject(new RangeError('full')) })
    const effect = letterOf(hosted.processRecords([aRecord('1')]))

    expect(await hosted.handlers.deliverDeadLetter(effect, noSignal)).toEqual({
      type: 'deadLetterFailed',
      error: { name: 'RangeError', message: 'full' },
    })
  })

  it('for which there is nobody fails, so that nothing is passed over', async () => {
    const hosted = await hostInitialized()
    const effect = letterOf(hosted.processRecords([aRecord('1')]))

    expect(await hosted.handlers.deliverDeadLetter(effect, noSignal)).toMatchObject({ type: 'deadLetterFailed' })
  })

  it('of which nothing is left is not delivered', async () => {
    const hosted = await hostInitialized({ deadLetter: () => Promise.reject(new Error('called')) })
    const effect = letterOf(hosted.processRecords([aRecord('1')], { after: at('1') }))

    expect(await hosted.handlers.deliverDeadLetter(effect, noSignal)).toEqual({ type: 'deadLetterDelivered' })
  })

  it('of a batch that is gone or of another shard, or for a processor that is gone, is answered so', async () => {
    const hosted = await hostInitialized({ deadLetter: () => undefined })
    const effect = letterOf(hosted.processRecords([aRecord('1')], { ofShard: 'shardId-000000000009' }))
    const gone = host(aProcessor({ deadLetter: () => undefined }))

    expect(await hosted.handlers.deliverDeadLetter(effect, noSignal)).toEqual({ type: 'batchGone' })
    expect(await gone.handlers.deliverDeadLetter(letterOf(gone.processRecords([aRecord('1')])), noSignal)).toEqual({
      type: 'processorGone',
    })
  })

  it.each([
    ['of the host', { deadLetter: 7 as never }, {}, 'deadLetter: expected a function that takes dead letters, got 7'],
    ['of the processor', {}, { deadLetter: 7 as never }, 'processor.deadLetter: expected a function or nothing, got 7'],
  ])('is taken by a function, and anything else %s is refused', (_, options, methods, message) => {
    const given = { processor: aProcessor(methods), shardId, batches: createBatchStore(), send: () => undefined, ...options }

    expect(() => hostRecordProcessor(given)).toThrow(message)
  })
})

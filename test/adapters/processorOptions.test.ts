import { createBatchStore } from '@shardwise/effects'
import { adaptRecordProcessor, hostRecordProcessor } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aProcessor } from './processorSetting.ts'

const good = { processor: aProcessor(), shardId: 'shardId-0', batches: createBatchStore(), send: () => undefined }
const nothing = () => undefined

describe('hosting a processor', () => {
  it.each([
    [{ ...good, retries: 3 }, 'hostRecordProcessor: unknown option retries, expected processor, shardId, batches, deadLetter, send'],
    [undefined, 'hostRecordProcessor: expected an object of options, got undefined'],
    [{ ...good, processor: null }, 'processor: expected a record processor, got null'],
    [{ ...good, processor: aProcessor({ leaseLost: undefined as never }) }, 'processor.leaseLost: a processor of the KCL shape has'],
    [{ ...good, shardId: '' }, 'shardId: expected 1 to 128 letters'],
    [{ ...good, batches: {} }, 'batches: expected a batch store, got [object Object]'],
    [{ ...good, batches: undefined }, 'batches: expected a batch store, got undefined'],
    [{ ...good, send: 'r1' }, 'send: expected a function, got r1'],
  ])('refuses a bad option before anything starts: %#', (options, message) => {
    expect(() => hostRecordProcessor(options as never)).toThrow(message)
  })
})

describe('adapting a processor', () => {
  const kcl = { initialize: nothing, processRecords: nothing, leaseLost: nothing, shardEnded: nothing }
  const old = { initialize: nothing, processRecords: nothing, shutdown: nothing }
  it.each([
    ['the KCL shape', kcl, ['initialize', 'processRecords', 'leaseLost', 'shardEnded']],
    ['the KCL shape', { ...kcl, version: 3 }, ['initialize', 'processRecords', 'leaseLost', 'shardEnded']],
    ['the version 2 shape', { ...old, version: 2 }, ['initialize', 'processRecords', 'shutdown']],
    ['the version 1 shape', { ...old, version: 1 }, ['initialize', 'processRecords', 'shutdown']],
  ])('names each method that %s misses, and what was expected', (shape, processor, methods) => {
    expect(adaptRecordProcessor(processor as never)).toBeDefined()
    for (const method of methods) {
      const message = `processor.${method}: a processor of ${shape} has the functions ${methods.join(', ')}, got 5`
      expect(() => adaptRecordProcessor({ ...processor, [method]: 5 } as never)).toThrow(message)
    }
    expect(() => adaptRecordProcessor({ ...processor, shutdownRequested: true } as never)).toThrow(
      'processor.shutdownRequested: expected a function or nothing, got true',
    )
  })

  it('tells a processor with shutdown() and no version how to say which it is', () => {
    expect(() => adaptRecordProcessor(old as never)).toThrow('one with shutdown() says `version = 1` or `version = 2`')
  })

  it.each([0, 4, '2', null, Number.NaN])('refuses the version %j', (version) => {
    expect(() => adaptRecordProcessor({ ...old, version } as never)).toThrow(
      `processor.version: expected 1, 2, 3 or none, got ${version} (${typeof version})`,
    )
  })

  it.each([
    [undefined, {}, 'processor: expected a record processor, got undefined'],
    [kcl, { logger: {} }, 'logger: expected an object with a function warn, got [object Object]'],
    [kcl, { logger: null }, 'logger: expected an object with a function warn, got null'],
    [kcl, { warn: nothing }, 'adaptRecordProcessor: unknown option warn, expected logger'],
  ])('refuses a bad argument: %#', (processor, options, message) => {
    expect(() => adaptRecordProcessor(processor as never, options as never)).toThrow(message)
  })
})

import {
  adaptRecordProcessor,
  type Checkpointer,
  type RecordProcessor,
  type RecordProcessorV1,
  type RecordProcessorV2,
} from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import {
  aProcessor,
  aRecord,
  at,
  host,
  initialize,
  noSignal,
  notifyLeaseLost,
  notifyShardEnded,
  notifyShutdownRequested,
  settleCheckpoint,
  shardId,
} from './processorSetting.ts'

const nothing = () => undefined
const aV2 = (methods: Partial<RecordProcessorV2> = {}): RecordProcessorV2 => ({
  version: 2,
  initialize: nothing,
  processRecords: nothing,
  shutdown: nothing,
  ...methods,
})
const aV1 = (methods: Partial<RecordProcessorV1> = {}): RecordProcessorV1 => ({
  version: 1,
  initialize: nothing,
  processRecords: nothing,
  shutdown: nothing,
  ...methods,
})

/** A hosted processor that is initialised, and stays so through every callback. */
async function hostStarted(processor: RecordProcessor) {
  const hosted = host(processor)
  await hosted.handlers.initialize({ ...initialize, checkpoint: at('5', 2) }, noSignal)
  return hosted
}

describe('a processor of the KCL shape', () => {
  it('is returned as it is, and promises no shutdownOnce', () => {
    const processor = aProcessor()
    expect(adaptRecordProcessor(processor)).toBe(processor)
    expect(adaptRecordProcessor({ ...processor, version: 3 }).shutdownOnce).toBeUndefined()
  })

  it('is what adapting gives, so that adapting twice changes nothing', () => {
    const once = adaptRecordProcessor(aV2())
    expect(adaptRecordProcessor(once)).toBe(once)
    expect(once.shutdownOnce).toBe(true)
  })
})

describe('a version 2 processor', () => {
  it('hears its own inputs, and ZOMBIE for a lost lease', async () => {
    const heard: unknown[] = []
    const note = (name: string) => (input: object) => void heard.push([name, { ...input, checkpointer: undefined }])
    const { handlers, processRecords } = await hostStarted(
      adaptRecordProcessor(
        aV2({
          initialize: note('initialize'),
          processRecords: note('processRecords'),
          shutdownRequested: note('shutdownRequested'),
          shutdown: note('shutdown'),
        }),
      ),
    )
    await handlers.processRecords(processRecords([aRecord('6')], { millisBehindLatest: 9 }), noSignal)
    await handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal)
    await handlers.notifyLeaseLost(notifyLeaseLost, noSignal)
    const checkpointer = undefined
    expect(heard).toEqual([
      ['initialize', { shardId, sequenceNumber: '5', subSequenceNumber: 2, checkpointer }],
      ['processRecords', { records: [aRecord('6')], millisBehindLatest: 9, checkpointer }],
      ['shutdownRequested', { checkpointer }],
      ['shutdown', { reason: 'ZOMBIE', checkpointer }],
    ])
  })

  it('is adapted with its methods intact when it is an instance of a class, shutdownRequested left out', async () => {
    class Counter implements RecordProcessorV2 {
      readonly version = 2
      #seen = 0
      initialize() {}
      processRecords() {
        this.#seen += 1
      }
      shutdown() {
        throw new Error(`seen ${this.#seen}`)
      }
    }
    const { handlers, processRecords } = await hostStarted(adaptRecordProcessor(new Counter()))
    await handlers.processRecords(processRecords([aRecord('6')]), noSignal)
    expect(await handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal)).toEqual({ type: 'shutdownRequestedNotified' })
    expect(await handlers.notifyShardEnded(notifyShardEnded, noSignal)).toEqual({
      type: 'shardEndedFailed',
      error: { name: 'Error', message: 'seen 1' },
    })
  })

  it('reports what its methods throw or reject with', async () => {
    const failing = async () => {
      throw new Error('no')
    }
    const { handlers, processRecords } = await hostStarted(
      adaptRecordProcessor(aV2({ processRecords: failing, shutdownRequested: failing, shutdown: failing })),
    )
    const error = { name: 'Error', message: 'no' }
    expect(await handlers.processRecords(processRecords([aRecord('6')]), noSignal)).toEqual({ type: 'recordsFailed', error })
    expect(await handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal)).toEqual({ type: 'shutdownRequestedFailed', error })
    expect(await handlers.notifyLeaseLost(notifyLeaseLost, noSignal)).toEqual({ type: 'leaseLostFailed', error })
  })

  it('cannot checkpoint at ZOMBIE: ShutdownException, and no event', async () => {
    const { handlers, sent } = await hostStarted(adaptRecordProcessor(aV2({ shutdown: ({ checkpointer }) => checkpointer.checkpoint() })))
    expect(await handlers.notifyLeaseLost(notifyLeaseLost, noSignal)).toMatchObject({
      type: 'leaseLostFailed',
      error: { name: 'ShutdownException' },
    })
    expect(sent).toEqual([])
  })

  it('is never shut down twice, whatever is asked for again', async () => {
    const reasons: string[] = []
    const shutdown: RecordProcessorV2['shutdown'] = ({ reason }) => {
      reasons.push(reason)
      throw new Error('no')
    }
    const lost = await hostStarted(adaptRecordProcessor(aV2({ shutdown })))
    await lost.handlers.notifyLeaseLost(notifyLeaseLost, noSignal)
    expect(await lost.handlers.notifyLeaseLost({ ...notifyLeaseLost, attempt: 1 }, noSignal)).toEqual({ type: 'leaseLostNotified' })
    expect(reasons).toEqual(['ZOMBIE'])

    const ended = await hostStarted(adaptRecordProcessor(aV2({ shutdown })))
    await ended.handlers.notifyShardEnded(notifyShardEnded, noSignal)
    expect(await ended.handlers.notifyShardEnded({ ...notifyShardEnded, attempt: 1 }, noSignal)).toMatchObject({
      type: 'shardEndedFailed',
      error: { message: `${shardId}: shutdown was called already, and a version 1 or 2 processor gets no second call` },
    })
    expect(await ended.handlers.notifyLeaseLost(notifyLeaseLost, noSignal)).toEqual({ type: 'leaseLostNotified' })
    expect(reasons).toEqual(['ZOMBIE', 'TERMINATE'])
  })
})

describe('a version 1 processor', () => {
  it('hears plain arguments, the checkpointer before the reason', async () => {
    const heard: unknown[] = []
    const named = (argument: unknown) =>
      typeof argument === 'object' && argument !== null && 'checkpoint' in argument ? 'checkpointer' : argument
    const note =
      (name: string) =>
      (...args: readonly unknown[]) =>
        void heard.push([name, ...args.map(named)])
    const { handlers, processRecords } = await hostStarted(
      adaptRecordProcessor(
        aV1({
          initialize: note('initialize'),
          processRecords: note('processRecords'),
          shutdownRequested: note('shutdownRequested'),
          shutdown: note('shutdown'),
        }),
      ),
    )
    await handlers.processRecords(processRecords([aRecord('6')]), noSignal)
    await handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal)
    await handlers.notifyShardEnded(notifyShardEnded, noSignal)
    expect(heard).toEqual([
      ['initialize', shardId],
      ['processRecords', [aRecord('6')], 'checkpointer'],
      ['shutdownRequested', 'checkpointer'],
      ['shutdown', 'checkpointer', 'TERMINATE'],
    ])
  })

  it('needs no shutdownRequested, and is shut down once', async () => {
    const reasons: string[] = []
    const processor = adaptRecordProcessor(aV1({ shutdown: (_checkpointer, reason) => void reasons.push(reason) }))
    const { handlers } = await hostStarted(processor)
    expect(processor.shutdownOnce).toBe(true)
    expect(await handlers.notifyShutdownRequested(notifyShutdownRequested, noSignal)).toEqual({ type: 'shutdownRequestedNotified' })
    await handlers.notifyLeaseLost(notifyLeaseLost, noSignal)
    await handlers.notifyLeaseLost(notifyLeaseLost, noSignal)
    expect(reasons).toEqual(['ZOMBIE'])
  })
})

describe('a version 1 or 2 processor at TERMINATE', () => {
  /** Shuts a processor down whose checkpoints are settled in turn with these errors, and answers what was warned of. */
  const warningsAfter = async (shutdown: (checkpointer: Checkpointer) => void | Promise<void>, errors: readonly (string | null)[] = []) => {
    const warnings: string[] = []
    const logger = { warn: (message: string) => void warnings.push(message) }
    const processor = adaptRecordProcessor(aV2({ shutdown: ({ checkpointer }) => shutdown(checkpointer) }), { logger })
    const { handlers, sent } = await hostStarted(processor)
    const answer = handlers.notifyShardEnded(notifyShardEnded, noSignal)
    const early = [...warnings]
    for (const [index, error] of errors.entries()) {
      const request = sent[index]?.request ?? 'none'
      handlers.settleCheckpoint(settleCheckpoint(request, error === null ? null : { name: error, message: 'refused' }))
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { early, warnings, answer: (await answer).type }
  }
  const ignore = (call: Promise<void>): void => void call.catch(() => undefined)

  it('is warned of when it returns without a checkpoint', async () => {
    const { warnings, answer } = await warningsAfter(() => undefined)
    expect(answer).toBe('shardEndedNotified')
    expect(warnings).toEqual([expect.stringMatching(`^${shardId}: shutdown\\(TERMINATE\\) returned without a successful checkpoint`)])
  })

  it('is warned of once when none of its checkpoints succeeded, awaited or not', async () => {
    const awaited = await warningsAfter((checkpointer) => checkpointer.checkpoint().catch(() => undefined), ['ThrottlingException'])
    expect(awaited.warnings).toHaveLength(1)
    const twice = (checkpointer: Checkpointer) => {
      ignore(checkpointer.checkpoint())
      ignore(checkpointer.checkpoint())
    }
    const unawaited = await warningsAfter(twice, ['ThrottlingException', 'ShutdownException'])
    expect(unawaited.early).toEqual([])
    expect(unawaited.warnings).toHaveLength(1)
  })

  it('is not warned of when a checkpoint succeeded, also one that it did not await', async () => {
    expect((await warningsAfter((checkpointer) => checkpointer.checkpoint(), [null])).warnings).toEqual([])
    expect((await warningsAfter((checkpointer) => ignore(checkpointer.checkpoint()), [null])).warnings).toEqual([])
    const secondTry = (checkpointer: Checkpointer) => {
      ignore(checkpointer.checkpoint())
      ignore(checkpointer.checkpoint('6', 1))
    }
    expect((await warningsAfter(secondTry, ['ThrottlingException', null])).warnings).toEqual([])
  })

  it('is not warned of twice for a checkpoint that fails after the warning', async () => {
    let kept: Checkpointer | undefined
    const warnings: string[] = []
    const logger = { warn: (message: string) => void warnings.push(message) }
    const keep = ({ checkpointer }: { readonly checkpointer: Checkpointer }) => {
      kept = checkpointer
    }
    const { handlers, close } = await hostStarted(adaptRecordProcessor(aV2({ shutdown: keep }), { logger }))
    await handlers.notifyShardEnded(notifyShardEnded, noSignal)
    close()
    await expect(kept?.checkpoint()).rejects.toMatchObject({ name: 'ShutdownException' })
    expect(warnings).toHaveLength(1)
  })

  it('hears why a checkpoint failed, and passes its arguments on', async () => {
    const names: string[] = []
    const positions: unknown[] = []
    const shutdown: RecordProcessorV2['shutdown'] = async ({ checkpointer }) => {
      await checkpointer.checkpoint('bogus').catch((error: Error) => names.push(error.name))
      ignore(checkpointer.checkpoint(aRecord('6', 4)))
      ignore(checkpointer.checkpoint())
    }
    const { handlers, sent, close } = await hostStarted(adaptRecordProcessor(aV2({ shutdown })))
    await handlers.notifyShardEnded(notifyShardEnded, noSignal)
    positions.push(...sent.map(({ position }) => position))
    close()
    expect([names, positions]).toEqual([['IllegalArgumentException'], [at('6', 4), null]])
  })

  it('needs no logger', async () => {
    const { handlers } = await hostStarted(adaptRecordProcessor(aV2()))
    expect(await handlers.notifyShardEnded(notifyShardEnded, noSignal)).toEqual({ type: 'shardEndedNotified' })
  })
})

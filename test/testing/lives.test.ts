import type { ShardEvent } from '@shardwise/machine'
import { start, step } from '@shardwise/machine/compiled'
import { type Engine, invariants, type Life, live, lives, type Operation, type Trace, type TraceStep, traceOf } from '@shardwise/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const machine: Engine = { start, step }
const aLife = (operations: readonly Operation[], begun = 4): Life => ({
  world: { stored: 'TRIM_HORIZON', pending: null, length: 6, children: 2, namesChildren: true, options: {} },
  begun,
  operations,
})
const aWrite = {
  id: 1_000,
  shardId: 'shardId-000000000000',
  leaseKey: 'shardId-000000000000',
  token: 7,
  checkpoint: { sequenceNumber: '9999', subSequenceNumber: 0 },
}
const lastEvent = ({ steps }: Trace): ShardEvent | null => steps.at(-1)?.event ?? null
const succeed: Operation = { does: 'succeed', count: 2 }

describe('lives', () => {
  const some = fc.sample(lives(), { seed: 7, numRuns: 60 })

  it('replay from JSON, byte for byte', () => {
    for (const life of some)
      expect(JSON.stringify(live(JSON.parse(JSON.stringify(life)) as Life, machine))).toBe(JSON.stringify(live(life, machine)))
  })

  it('shrink: of what ends a consumer no operation is left that could be left out', () => {
    const isNeverLost = (life: Life) => live(life, machine).steps.every(({ after }) => after.context.outcome !== 'leaseLost')
    const { counterexample } = fc.check(fc.property(lives(), isNeverLost), { seed: 8, numRuns: 300 })
    const [life] = counterexample ?? []
    if (life === undefined) throw new Error('nothing was found')

    expect(isNeverLost(life)).toBe(false)
    for (const [index] of life.operations.entries())
      expect(isNeverLost({ ...life, operations: life.operations.toSpliced(index, 1) })).toBe(true)
  })

  it('have as many operations as is allowed at most', () => {
    const short = fc.sample(lives({ maxOperations: 5 }), { seed: 7, numRuns: 100 })

    expect(Math.max(...short.map(({ operations }) => operations.length))).toBe(5)
    expect(Math.max(...some.map(({ operations }) => operations.length))).toBeGreaterThan(60)
  })

  it('give every consumer the options that are said, and vary the others', () => {
    const made = fc.sample(lives({ options: { maxShutdownAttempts: 9 } }), { seed: 7, numRuns: 30 })

    expect(new Set(made.map(({ world }) => world.options.maxShutdownAttempts))).toEqual(new Set([9]))
    expect(new Set(made.map(({ world }) => world.options.maxCheckpointAttempts)).size).toBeGreaterThan(1)
    expect(made.map((life) => live(life, machine).steps[0]?.after.context.options.maxShutdownAttempts)).toContain(9)
  })

  it.each<[object, string]>([
    [{ maxOperation: 5 }, 'maxOperation: not an option; expected one of maxOperations, options'],
    [{ maxOperations: 0 }, 'maxOperations: expected a whole number from 1, got 0'],
    [{ maxOperations: '5' }, 'maxOperations: expected a whole number from 1, got "5"'],
    [{ options: { maxRecords: -1 } }, 'maxRecords: expected a whole number from 1 to 10000, got -1'],
    [{ options: { speed: 1 } }, 'speed: not an option'],
  ])('refuse the options %j', (options, message) => {
    expect(() => lives(options)).toThrow(message)
  })
})

describe('an operation', () => {
  it.each<[string, readonly Operation[], ShardEvent['type']]>([
    ['succeeds', [succeed], 'recordsRead'],
    ['fails', [{ does: 'fail', pick: 0 }], 'iteratorExpired'],
    ['fails by its handler', [succeed, { does: 'fail', pick: 3 }], 'effectFailed'],
    ['stores a checkpoint', [succeed, { does: 'checkpoint', at: 'everything' }, { does: 'succeedWrite' }], 'checkpointWritten'],
    ['refuses a checkpoint', [succeed, { does: 'checkpoint', at: 'everything' }, { does: 'failWrite', pick: 0 }], 'checkpointRefused'],
    ['answers late', [{ does: 'answerLate', pick: 0 }], 'parentShardsCompleted'],
    ['answers twice', [succeed, { does: 'answerTwice' }], 'recordsRead'],
    ['fires a timer', [succeed, { does: 'fail', pick: 0 }, { does: 'fireTimer' }], 'timerFired'],
    ['requests a shutdown', [{ does: 'requestShutdown' }], 'shutdown'],
    ['ends the shard', [{ does: 'endShard' }], 'shutdown'],
    ['loses the lease', [{ does: 'loseLease' }], 'shutdown'],
    ['pauses the shard', [{ does: 'pause' }], 'pause'],
    ['resumes the shard', [{ does: 'pause' }, { does: 'resume' }], 'resume'],
    ['asks for a checkpoint', [{ does: 'checkpoint', at: 99 }], 'checkpointRequested'],
    ['crashes', [{ does: 'crash' }], 'shardNotOpen'],
  ])('%s', (_, operations, event) => {
    const trace = live(aLife(operations), machine)

    expect(lastEvent(trace)?.type).toBe(event)
    expect(trace.steps.length).toBe(1 + 4 + operations.length)
  })

  it.each<[string, Operation, readonly ShardEvent['type'][]]>([
    ['by a shutdown', { does: 'interrupt', by: 'requestShutdown', pick: 0 }, ['shutdown', 'recordsFailed']],
    ['by a lost lease', { does: 'interrupt', by: 'loseLease', pick: 1 }, ['shutdown', 'batchGone']],
    [
      'by a checkpoint that is throttled',
      { does: 'interrupt', by: 'failWrite', pick: 0 },
      ['checkpointRequested', 'throttled', 'recordsFailed', 'timerFired'],
    ],
    ['by a pause', { does: 'interrupt', by: 'pause', pick: 0 }, ['pause', 'recordsFailed', 'timerFired', 'resume']],
  ])('interrupts a callback %s', (_, operation, events) => {
    const { steps } = live(aLife([succeed, operation]), machine)

    expect(steps.slice(6).map(({ event }) => event?.type)).toEqual(events)
  })

  it('asks for many checkpoints in a row, each by a name of its own', () => {
    const { steps } = live(aLife([succeed, { does: 'burst', at: 'everything', count: 20 }]), machine)
    const names = steps.flatMap(({ event }) => (event?.type === 'checkpointRequested' ? [event.request] : []))

    expect(new Set(names).size).toBe(20)
    expect(steps.at(-1)?.after.context.waiting).toHaveLength(16)
    expect(steps.at(-1)?.effects).toEqual([expect.objectContaining({ error: expect.objectContaining({ name: 'ThrottlingException' }) })])
  })

  it('does nothing where it means nothing', () => {
    const idle: readonly Operation[] = [
      { does: 'succeedWrite' },
      { does: 'failWrite', pick: 1 },
      { does: 'fireTimer' },
      { does: 'answerTwice' },
      { does: 'answerLate', pick: 2 },
      { does: 'interrupt', by: 'loseLease', pick: 0 },
      { does: 'burst', at: 0, count: 0 },
    ]

    expect(live(aLife(idle, 0), machine).steps).toHaveLength(1)
  })

  it('asks for checkpoints in range and out of it, by the last record that the processor got', () => {
    const settledBy = (at: number) =>
      live(aLife([succeed, { does: 'checkpoint', at }]), machine)
        .steps.at(-1)
        ?.effects.map((effect) => (effect.type === 'settleCheckpoint' ? effect.error?.name : effect.type))

    expect(settledBy(0)).toEqual(['writeCheckpoint'])
    expect(settledBy(-2)).toEqual(['writeCheckpoint'])
    expect(settledBy(1)).toEqual(['IllegalArgumentException'])
  })

  it('crashes into a snapshot that comes from JSON, with what is out still awaited', () => {
    const trace = live(aLife([succeed, { does: 'crash' }, succeed]), machine)
    const [read, done] = trace.steps.slice(-2)

    expect(done?.event?.type).toBe('recordsProcessed')
    expect(done?.before).not.toBe(read?.after)
    expect(done?.before).toEqual(read?.after)
  })
})

describe('the lives that are made', () => {
  const steps = fc.sample(lives(), { seed: 20_181_118, numRuns: 400 }).flatMap((life) => live(life, machine).steps)
  const answersTask = ({ event, before }: TraceStep): boolean => event !== null && 'id' in event && event.id === before?.context.task?.id
  const refusedLater = ({ event, effects }: TraceStep, type: ShardEvent['type']): boolean =>
    event?.type === type &&
    effects.some((effect) => effect.type === 'settleCheckpoint' && effect.error?.name === 'IllegalArgumentException')

  it.each<[string, number, (step: TraceStep) => boolean]>([
    [
      'a batch fails while a shutdown is pending',
      10,
      (step) => answersTask(step) && step.event?.type === 'recordsFailed' && step.before?.context.reason !== null,
    ],
    [
      'a batch is gone while a shutdown is pending',
      2,
      (step) => answersTask(step) && step.event?.type === 'batchGone' && step.before?.context.reason !== null,
    ],
    ['a batch fails', 50, (step) => answersTask(step) && step.event?.type === 'recordsFailed'],
    ['a batch is held', 100, ({ after }) => JSON.stringify(after.value).includes('holding')],
    [
      'a batch that failed is handed over when the shard is resumed',
      5,
      ({ event, before, effects }) => event?.type === 'resume' && before?.context.batchFailures !== 0 && effects.length > 0,
    ],
    [
      'a part of a batch is handed over when the shard is resumed',
      1,
      ({ event, before, effects }) => event?.type === 'resume' && before?.context.whole !== null && effects.length > 0,
    ],
    ['fifteen checkpoints or more wait', 50, ({ after }) => after.context.waiting.length >= 15],
    [
      'a checkpoint is refused for so many that wait',
      20,
      ({ effects }) => effects.some((effect) => effect.type === 'settleCheckpoint' && effect.error?.message.includes('wait already')),
    ],
    ['a checkpoint that waited is refused, for its batch has failed', 10, (step) => refusedLater(step, 'checkpointWritten')],
    ['a throttled checkpoint is refused when it is tried again', 5, (step) => refusedLater(step, 'timerFired')],
  ])('have steps where %s: %i at least in 400 lives', (_, least, isSo) => {
    expect(steps.filter(isSo).length).toBeGreaterThanOrEqual(least)
  })
})

describe('a trace', () => {
  it('is made of events as well, and says the same', () => {
    const { input, steps } = live(aLife([succeed, succeed, { does: 'loseLease' }, succeed]), machine)
    const events = steps.flatMap(({ event }) => (event === null ? [] : [event]))

    expect(JSON.stringify(traceOf(input, events, machine).steps)).toBe(JSON.stringify(steps))
  })

  it('may come from a store: the invariants compare values', () => {
    const traces = fc.sample(lives(), { seed: 9, numRuns: 40 }).map((life) => JSON.parse(JSON.stringify(live(life, machine))) as Trace)

    expect(
      invariants.flatMap(({ number, check }) => traces.flatMap((trace) => check(trace, machine).map((wrong) => `I${number} ${wrong}`))),
    ).toEqual([])
  })

  it('that grows is checked as far as it has come', () => {
    const { input, steps } = live(aLife([succeed, succeed]), machine)
    const grown = { input, steps: [...steps] }
    const wrongIn = () => invariants.flatMap(({ number, check }) => (check(grown).length > 0 ? [number] : []))
    expect(wrongIn()).toEqual([])
    const last = steps.at(-1)
    if (last !== undefined) grown.steps.push({ ...last, effects: [{ type: 'writeCheckpoint', ...aWrite }] })

    expect(wrongIn()).toContain(88)
  })

  it.each<[string, (trace: Trace) => unknown, string]>([
    [
      'without its start',
      ({ input, steps }) => ({ input, steps: steps.slice(1) }),
      'steps[0]: expected the start, whose event and before are null, got parentShardsCompleted',
    ],
    ['without an input', ({ steps }) => ({ steps }), 'input: expected that of the start, { shardId, token, … }, got undefined'],
    [
      'with an input that is none',
      ({ steps }) => ({ input: { token: 1 }, steps }),
      'input: expected that of the start, { shardId, token, … }, got {"token":1}',
    ],
    ['without steps', ({ input }) => ({ input }), 'steps: expected those of a trace from its start on, got undefined'],
    ['that is none', () => null, 'trace: expected { input, steps }, got null'],
  ])('%s is refused by every invariant', (_, changed, message) => {
    const trace = changed(live(aLife([succeed]), machine)) as Trace
    for (const { check } of invariants) expect(() => check(trace)).toThrow(message)
  })

  it('is not made of events alone', () => {
    expect(() => traceOf(undefined as unknown as Trace['input'], [], machine)).toThrow('input: expected that of the start')
  })

  it('of no steps is refused by every invariant', () => {
    for (const { check } of invariants)
      expect(() => check({ input: { shardId: 'shardId-000000000000', token: 1 }, steps: [] })).toThrow(
        'steps: expected those of a trace from its start on, got none',
      )
  })
})

import type { ShutdownReason } from '@shardwise/effects'
import { outstanding, type ShardConsumerSnapshot, type ShardEvent } from '@shardwise/machine'
import { answersTo } from '../answers.ts'
import type { Engine } from '../trace.ts'
import { invariant, none, spread } from './invariant.ts'
import { C, endIsStored, I, NC, stateRank, type ToldStep, W } from './traceFacts.ts'

/** More steps than any consumer needs to come to its end. */
const manySteps = 200

interface Fate {
  /** How many effects fail before all go well; timers always fire. */
  readonly failures: number
  /** Whether the processor checkpoints when the shard has ended. */
  readonly checkpoints: boolean
}

/** Answers what is awaited until nothing is, or the goal is reached. */
function runOn(
  engine: Engine,
  snapshot: ShardConsumerSnapshot,
  { failures, checkpoints }: Fate,
  isReached: (snapshot: ShardConsumerSnapshot) => boolean = () => false,
): { readonly last: ShardConsumerSnapshot; readonly steps: number } {
  let last = snapshot
  let failed = 0
  for (let steps = 0; steps < manySteps; steps += 1) {
    const effect = outstanding(last).at(-1)
    if (effect === undefined || isReached(last)) return { last, steps }
    const { task, write, reason } = last.context
    const asksForCheckpoint =
      checkpoints && task?.type === 'notifyShardEnded' && write === null && reason === 'SHARD_END' && !endIsStored(last)
    const fails: boolean = !asksForCheckpoint && effect.type !== 'startTimer' && failed < failures
    if (fails) failed += 1
    const event: ShardEvent | undefined = asksForCheckpoint
      ? { type: 'checkpointRequested', request: `late${steps}`, position: null }
      : answersTo(effect, last.context)
          .map((answer) => answer.event)
          .find(({ type }) => !fails || type.endsWith('Failed'))
    if (event === undefined) return { last, steps }
    last = engine.step(last, event)[0]
  }
  return { last, steps: manySteps }
}

const shutDown = (engine: Engine, snapshot: ShardConsumerSnapshot, reason: ShutdownReason): ShardConsumerSnapshot =>
  engine.step(snapshot, { type: 'shutdown', reason })[0]

/** The states from which it is tried what would come next. */
const probed = (steps: readonly ToldStep[]): readonly ToldStep[] => spread(steps, 3)

/** What holds of lives that go on until nothing is left to do. */
export const livenessInvariants = [
  invariant(
    65,
    'LEASE_LOST always leads to SHUTDOWN_COMPLETE in a bounded number of steps, whatever failed before and fails from then on',
    ({ steps }, engine) =>
      probed(steps).flatMap(({ index, after }) =>
        [0, 2, Number.POSITIVE_INFINITY].flatMap((failures) => {
          const ended = runOn(engine, shutDown(engine, after, 'LEASE_LOST'), { failures, checkpoints: false })
          // The task and the write that are out; leaseLost and the closing, each with its attempts and their timers.
          const bound = 4 + 4 * after.context.options.maxShutdownAttempts
          return stateRank(ended.last) === C && ended.steps <= bound
            ? []
            : [`step ${index}: ${failures} failures, ${ended.steps} steps to ${JSON.stringify(ended.last.value)}`]
        }),
      ),
    'Timers fire: one that fails is not started again, and a consumer that is shutting down would wait for it for ever.',
  ),

  invariant(
    66,
    'SHARD_END leads to SHUTDOWN_COMPLETE where the processor checkpoints and effects fail finitely often',
    ({ steps }, engine) =>
      probed(steps).flatMap(({ index, after }) => {
        const { last } = runOn(engine, shutDown(engine, after, 'SHARD_END'), { failures: 2, checkpoints: true })
        return stateRank(last) === C ? [] : [`step ${index}: it came to ${JSON.stringify(last.value)}`]
      }),
  ),

  invariant(67, 'REQUESTED leads to a consumer that was notified and waits, or to its end', ({ steps }, engine) =>
    probed(steps).flatMap(({ index, after }) => {
      const { last } = runOn(engine, shutDown(engine, after, 'REQUESTED'), { failures: 1, checkpoints: true })
      return [NC, C].includes(stateRank(last)) ? [] : [`step ${index}: it came to ${JSON.stringify(last.value)}`]
    }),
  ),

  invariant(68, 'A shard whose parents are done is initialised, if it is not shut down', ({ steps, events }, engine) => [
    ...none(
      events.filter(
        ({ event, answered, before }) => event.type === 'parentShardsCompleted' && answered !== null && before.context.reason === null,
      ),
      ({ after }) => stateRank(after) !== I,
      ({ after }) => after.value,
    ),
    ...probed(steps.filter(({ after }) => stateRank(after) === W && after.context.reason === null)).flatMap(({ index, after }) => {
      const { last } = runOn(engine, after, { failures: 1, checkpoints: false }, (snapshot) => stateRank(snapshot) === I)
      return stateRank(last) === I ? [] : [`step ${index}: it came to ${JSON.stringify(last.value)}`]
    }),
  ]),
] as const

import type { RecordProcessor } from '@shardwise/processor'
import { diceFrom } from './dice.ts'
import type { FaultRates } from './plan.ts'

/** What a record processor in a simulation has in place of a clock and of chance. */
export interface ProcessorSurroundings {
  readonly workerId: string
  /** A number from 0 to below 1, of dice that are this processor's own. */
  random(): number
  /** The worker's monotonic clock, in ms. */
  nowMs(): number
  /** Resolves after so many ms of virtual time. A processor that waits for anything else than this and its checkpoints never goes on. */
  sleep(delayMs: number): Promise<void>
}

/** The simulator's own record processor: it takes its time, throws, and checkpoints late or not at all, as often as the rates say. */
export function flakyProcessor(world: ProcessorSurroundings, rates: () => FaultRates, failoverTimeMillis: number): RecordProcessor {
  const { chance, between } = diceFrom(world.random)
  const work = async (): Promise<void> => {
    if (chance(0.3)) await world.sleep(between(1, 300))
    if (chance(rates().callbackSlow)) await world.sleep(between(1_000, 2 * failoverTimeMillis))
    if (chance(rates().callbackFailed)) throw new Error('this callback fails')
  }
  return {
    initialize: work,
    async processRecords({ records, checkpointer }) {
      await work()
      if (chance(rates().checkpointOmitted)) return
      const record = chance(0.1) ? records[between(0, records.length - 1)] : undefined
      if (record === undefined) await checkpointer.checkpoint()
      else await checkpointer.checkpoint(record)
    },
    leaseLost: work,
    async shardEnded({ checkpointer }) {
      await work()
      if (!chance(rates().checkpointOmitted)) await checkpointer.checkpoint()
    },
    async shutdownRequested({ checkpointer }) {
      await work()
      if (!chance(rates().checkpointOmitted)) await checkpointer.checkpoint()
    },
  }
}

import { type CoordinatorOptions, parseShardConsumerOptions, type ShardConsumerOptions } from '@shardwise/machine'
import type { AnyRecordProcessor } from '@shardwise/processor'
import type { ProcessorSurroundings } from './flakyProcessor.ts'
import { Fleet, usualLease } from './fleet.ts'
import type { Violation } from './ledger.ts'
import { type Plan, type PlanOptions, planOf, planOptionNames } from './plan.ts'
import { Transcript } from './transcript.ts'

/** What is simulated. Unknown options are errors. */
export interface SimulationOptions extends PlanOptions {
  /** Your own record processor, in place of the simulator's, which throws and checkpoints late: one for each time that a worker consumes the shard. */
  readonly processor?: ((shardId: string, world: ProcessorSurroundings) => AnyRecordProcessor) | undefined
  /** How the lease coordinators behave. */
  readonly lease?: Partial<Omit<CoordinatorOptions, 'workerId' | 'initialPosition' | 'leaseMode' | 'seed'>> | undefined
  /** How the shard consumers behave; they start at TRIM_HORIZON. */
  readonly shard?: Partial<Omit<ShardConsumerOptions, 'initialPosition'>> | undefined
  /** How many of its last lines the transcript keeps; 0 unless given. */
  readonly transcriptLines?: number | undefined
}

/** What came of a simulation: plain JSON. */
export interface SimulationReport {
  /** What was simulated: given to `simulate`, with the same `processor`, `lease` and `shard`, it happens again. */
  readonly plan: Plan
  /** Empty when everything held. */
  readonly violations: readonly Violation[]
  readonly virtualMs: number
  /** Steps of all machines. */
  readonly steps: number
  readonly records: number
  readonly deliveries: number
  /** How many of the deliveries were not the first of their record. */
  readonly redeliveries: number
  /** How often a lease changed hands. */
  readonly leasesTaken: number
  /** What went wrong or changed, by its name, and how often. */
  readonly injected: Readonly<Record<string, number>>
  readonly transcript: readonly string[]
}

const names = [...planOptionNames, 'processor', 'lease', 'shard', 'transcriptLines']

/**
 * Runs a fleet of workers under virtual time, until it has come to rest or something was violated. The same options give the same report.
 * @throws Error naming the option that is unknown or wrong, and what was expected.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  if (typeof options !== 'object' || options === null) throw new Error(`simulate: expected an object of options, got ${String(options)}`)
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`${unknown}: not an option of simulate; expected one of ${names.join(', ')}`)
  const { processor, lease = {}, shard = {}, transcriptLines = 0 } = options
  const plan = planOf(options)
  expectParts(options)
  const transcript = new Transcript(transcriptLines)
  const fleet = new Fleet({
    plan,
    lease: { ...usualLease, ...lease },
    shard: parseShardConsumerOptions(shard),
    processor,
    observe: transcript.observe,
    told: transcript.tell,
  })
  await fleet.run()
  const { records, deliveries, redeliveries, leasesTaken, violations } = fleet.ledger
  const { injected, time } = fleet.around
  const { steps } = fleet
  return {
    plan,
    violations,
    virtualMs: time.nowMs,
    steps,
    records,
    deliveries,
    redeliveries,
    leasesTaken,
    injected,
    transcript: transcript.lines,
  }
}

const mayBeZero: ReadonlySet<string> = new Set(['maxLeasesToStealAtOneTime', 'completedLeaseCleanupIntervalMillis'])

function expectParts({ processor, lease = {}, shard = {}, transcriptLines = 0 }: SimulationOptions): void {
  if ('initialPosition' in shard) throw new Error('shard.initialPosition: not an option of simulate, whose consumers start at TRIM_HORIZON')
  if (processor !== undefined && typeof processor !== 'function') {
    throw new Error(`processor: expected a function that makes a record processor, got ${JSON.stringify(processor)}`)
  }
  if (!isWhole(transcriptLines, 0))
    throw new Error(`transcriptLines: expected a whole number from 0, got ${JSON.stringify(transcriptLines)}`)
  for (const [name, value] of Object.entries(lease)) {
    const usual = usualLease[name as keyof typeof usualLease]
    if (usual === undefined) throw new Error(`lease.${name}: not an option; expected one of ${Object.keys(usualLease).join(', ')}`)
    const least = mayBeZero.has(name) ? 0 : 1
    const fits = typeof usual === 'number' ? isWhole(value, least) : typeof value === typeof usual
    const expected = typeof usual === 'number' ? `a whole number from ${least}` : `a ${typeof usual}`
    if (!fits) throw new Error(`lease.${name}: expected ${expected}, got ${JSON.stringify(value)}`)
  }
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= least
}

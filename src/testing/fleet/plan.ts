import type { LeaseMode } from '@shardwise/machine'
import { wholeFrom } from '../rules.ts'
import { diceOf } from './dice.ts'

/** How likely each call of a worker meets which fault: probabilities from 0 to 1. */
export interface FaultRates {
  /** The table or the stream refuses the call for being too many. */
  readonly throttled: number
  /** The request never arrives, and times out. */
  readonly requestLost: number
  /** A write is applied, but its answer never arrives. */
  readonly answerLost: number
  /** A write times out and is applied later nevertheless. */
  readonly requestLate: number
  /** The client sends a write twice, and hears of the second. */
  readonly requestRepeated: number
  /** A worker hears an answer twice. */
  readonly answerRepeated: number
  /** A listing of the leases shows rows as they were a second ago. */
  readonly listingStale: number
  /** The call takes seconds. */
  readonly slow: number
  /** An iterator expires before it is used. */
  readonly iteratorExpired: number
  /** A callback of the simulator's own record processor throws. */
  readonly callbackFailed: number
  /** It takes up to twice the failover time. */
  readonly callbackSlow: number
  /** It does not checkpoint where it otherwise does. */
  readonly checkpointOmitted: number
}

/** Something that happens to the fleet or the stream. `pick` chooses among the workers that run, or the shards that are open. Plain JSON. */
export type FleetOperation = { readonly atMs: number; readonly pick: number } & (
  | { readonly type: 'crash'; readonly downMs: number; readonly sameId: boolean }
  | { readonly type: 'pause'; readonly forMs: number; readonly clockStops: boolean }
  | { readonly type: 'partition' | 'storm'; readonly forMs: number }
  | { readonly type: 'leave' | 'join' | 'split' | 'merge' | 'expireIterators' }
)

/** All that a simulation depends on beside the code: plain JSON. */
export interface Plan {
  readonly seed: number
  readonly leaseMode: LeaseMode
  readonly workers: number
  readonly shards: number
  readonly durationMs: number
  readonly recordsPerSecond: number
  readonly faults: FaultRates
  readonly operations: readonly FleetOperation[]
}

/** What a plan is drawn from: a seed and a size. */
export interface PlanOptions {
  readonly seed: number
  /** How many workers start; 3 unless given. */
  readonly workers?: number | undefined
  /** How many shards the stream has at first; 4 unless given. */
  readonly shards?: number | undefined
  /** How the workers show that they hold their leases; `kcl` unless given. */
  readonly leaseMode?: LeaseMode | undefined
  /** How long records and faults come, in ms; 10 minutes unless given. */
  readonly durationMs?: number | undefined
  /** 5 unless given. */
  readonly recordsPerSecond?: number | undefined
  /** Whether anything goes wrong, and what; true unless given. */
  readonly faults?: boolean | Partial<FaultRates> | undefined
  /** What happens when; drawn from the seed unless given. */
  readonly operations?: readonly FleetOperation[] | undefined
}

/** A network without faults. */
export const noFaults: FaultRates = {
  throttled: 0,
  requestLost: 0,
  answerLost: 0,
  requestLate: 0,
  requestRepeated: 0,
  answerRepeated: 0,
  listingStale: 0,
  slow: 0,
  iteratorExpired: 0,
  callbackFailed: 0,
  callbackSlow: 0,
  checkpointOmitted: 0,
}

/** Usual faults, far more often than in the world. */
const usualFaults: FaultRates = {
  throttled: 0.01,
  requestLost: 0.003,
  answerLost: 0.005,
  requestLate: 0.003,
  requestRepeated: 0.01,
  answerRepeated: 0.01,
  listingStale: 0.2,
  slow: 0.005,
  iteratorExpired: 0.002,
  callbackFailed: 0.01,
  callbackSlow: 0.002,
  checkpointOmitted: 0.2,
}

const rules = {
  seed: wholeFrom(0),
  leaseMode: ['"kcl" or "workerHeartbeat"', (value: unknown) => value === 'kcl' || value === 'workerHeartbeat'],
  workers: wholeFrom(1),
  shards: wholeFrom(1),
  durationMs: wholeFrom(1),
  recordsPerSecond: ['a number from 0', (value: unknown) => typeof value === 'number' && value >= 0],
  faults: ['true, false or rates by name', (value: unknown) => typeof value === 'boolean' || areRates(value)],
  operations: ['a list of operations', (value: unknown) => Array.isArray(value)],
} as const

/** The names of all options of a plan. */
export const planOptionNames: readonly string[] = Object.keys(rules)

/** Draws a plan. @throws Error naming the option that is wrong, and what was expected. */
export function planOf(options: PlanOptions): Plan {
  for (const [name, [expected, holds]] of Object.entries(rules)) {
    const value = options[name as keyof PlanOptions]
    if ((value !== undefined || name === 'seed') && !holds(value))
      throw new Error(`${name}: expected ${expected}, got ${JSON.stringify(value)}`)
  }
  for (const operation of options.operations ?? []) expectOperation(operation)
  const { seed, leaseMode = 'kcl', workers = 3, shards = 4, durationMs = 600_000, recordsPerSecond = 5, faults = true } = options
  const rates = faults === true ? usualFaults : faults === false ? noFaults : { ...noFaults, ...faults }
  const size = { seed, workers, shards, durationMs }
  const operations = options.operations ?? (faults === false ? [] : drawOperations(size))
  return { ...size, leaseMode, recordsPerSecond, faults: rates, operations: [...operations].sort((a, b) => a.atMs - b.atMs) }
}

/** How often each operation comes in an hour: per worker, per shard, or in all. */
const perHour: readonly { readonly type: FleetOperation['type']; readonly rate: (size: { workers: number; shards: number }) => number }[] =
  [
    { type: 'crash', rate: ({ workers }) => 2 + workers },
    { type: 'pause', rate: ({ workers }) => 2 + 2 * workers },
    { type: 'partition', rate: ({ workers }) => 2 + workers },
    { type: 'storm', rate: () => 3 },
    { type: 'leave', rate: ({ workers }) => 2 + workers / 2 },
    { type: 'join', rate: ({ workers }) => 3 + workers / 2 },
    { type: 'split', rate: ({ shards }) => 4 + shards / 4 },
    { type: 'merge', rate: ({ shards }) => 4 + shards / 4 },
    { type: 'expireIterators', rate: () => 2 },
  ]

function drawOperations(size: { seed: number; workers: number; shards: number; durationMs: number }): readonly FleetOperation[] {
  return perHour.flatMap(({ type, rate }) => {
    const dice = diceOf(size.seed, `operations ${type}`)
    const expected = (rate(size) * size.durationMs) / 3_600_000
    const count = Math.floor(expected) + (dice.chance(expected % 1) ? 1 : 0)
    return Array.from({ length: count }, (): FleetOperation => {
      const when = { atMs: dice.between(0, size.durationMs - 1), pick: dice.between(0, 0xffff) }
      switch (type) {
        case 'crash':
          return { ...when, type, downMs: dice.between(100, 40_000), sameId: dice.chance(0.5) }
        case 'pause':
          return { ...when, type, forMs: dice.between(1_000, 40_000), clockStops: dice.chance(0.3) }
        case 'partition':
        case 'storm':
          return { ...when, type, forMs: dice.between(1_000, 40_000) }
        default:
          return { ...when, type }
      }
    })
  })
}

const operationFields: Readonly<Record<FleetOperation['type'], readonly string[]>> = {
  crash: ['downMs', 'sameId'],
  pause: ['forMs', 'clockStops'],
  partition: ['forMs'],
  storm: ['forMs'],
  leave: [],
  join: [],
  split: [],
  merge: [],
  expireIterators: [],
}

/** @throws Error that names the field of an operation that is wrong. */
function expectOperation(operation: FleetOperation): void {
  const { type, ...fields } = Object(operation) as Readonly<Record<string, unknown>>
  const types = Object.keys(operationFields)
  if (!types.includes(String(type))) throw new Error(`operations: expected a type of ${types.join(', ')}, got ${JSON.stringify(type)}`)
  for (const name of ['atMs', 'pick', ...operationFields[operation.type]]) {
    const isFlag = name === 'sameId' || name === 'clockStops'
    const [expected, holds] = isFlag ? (['true or false', (value: unknown) => typeof value === 'boolean'] as const) : wholeFrom(0)
    if (!holds(fields[name]))
      throw new Error(`operations: expected ${name} of a ${operation.type} to be ${expected}, got ${JSON.stringify(fields[name])}`)
  }
}

function areRates(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([name, rate]) => Object.hasOwn(noFaults, name) && typeof rate === 'number' && rate >= 0 && rate <= 1)
  )
}

import type {
  EffectOf,
  EffectType,
  HandlerContext,
  Heartbeat,
  Lease,
  LeaseStore,
  LeaseTable,
  RecordSource,
  StreamDirectory,
} from '@shardwise/effects'
import type { MemoryLeaseTable, MemoryTableCalls } from '@shardwise/memory'
import { type Dice, diceOf } from './dice.ts'
import { type FaultRates, noFaults } from './plan.ts'
import type { Process, VirtualTime } from './virtualTime.ts'

/** A worker process, as the network and the table know it. */
export interface Caller extends Process {
  readonly workerId: string
  /** Tells this run of the process from others with its id. */
  readonly name: string
  /** Its monotonic clock, in ms. */
  clock(): number
  /** How many ms of that clock pass in one of the world's. */
  readonly rate: number
  /** When its last pause ended, on that clock; -Infinity when it had none. */
  readonly resumedMs: number
}

/** A lease table that a fleet shares. */
export interface FleetTable {
  rows(): readonly Lease[]
  row(leaseKey: string): Lease | undefined
  heartbeats(): readonly Heartbeat[]
  /** The handlers of one worker process, which reach the table through its network. */
  handlers(network: Network): LeaseStore & LeaseTable
}

/** Hears of every change of a row, in the order of the changes. */
export type OnRowChange = (before: Lease | null, after: Lease | null) => void

/** What every call passes through: the time it takes, and what goes wrong with it. */
export interface Surroundings {
  readonly time: VirtualTime
  readonly seed: number
  readonly faults: FaultRates
  readonly table: FleetTable
  /** Whether nothing goes wrong any more. */
  calm: boolean
  /** Until when the table throttles most calls. */
  stormUntilMs: number
  /** Until when a worker does not reach the table, by the name of its run. */
  readonly cutOffUntilMs: Map<string, number>
  /** How often which fault came about. */
  readonly injected: Record<string, number>
  /** Whose write is being applied, and what asked for it. */
  acting: { readonly caller: Caller; readonly effect: EffectType } | null
  /** The row before its last change, and when that was. */
  readonly earlier: Map<string, { readonly row: Lease | null; readonly changedMs: number }>
}

type Fate = 'arrives' | 'throttled' | 'requestLost' | 'answerLost' | 'requestLate' | 'requestRepeated'
type Answer = { readonly type: string }

const clientTimeoutMs = 3_000
/** How old a stale listing is at most: the second that DynamoDB speaks of. */
const staleMs = 1_000

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name })
const timeout = named('TimeoutError', 'no answer came in time')
const tooMany = named('ThrottlingException', 'the table is asked too much')
/** What an effect that was cancelled rejects with. */
export const aborted = named('AbortError', 'the effect was cancelled')
const notAborted = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined }
const uncancelled: HandlerContext = { signal: notAborted, onAbort: () => undefined }

/** The way of one worker to the table and the stream. */
export class Network {
  readonly #around: Surroundings
  readonly #caller: Caller
  readonly #dice: Dice
  #fate: Fate = 'arrives'
  #failed = false
  #isCutOff = false
  #sentMs = 0

  constructor(around: Surroundings, caller: Caller) {
    this.#around = around
    this.#caller = caller
    this.#dice = diceOf(around.seed, `network ${caller.name}`)
  }

  /** The worker's clock, in ms. */
  readonly nowMs = (): number => this.#caller.clock()

  /** A table in memory as this worker reaches it: each effect is one call. */
  memoryTable(table: MemoryLeaseTable): LeaseStore & LeaseTable {
    const store = table.store({ nowMs: () => this.#sentMs, calls: this.#calls() })
    return this.#through(store, (effect, call) => this.#toTable(effect.type, call))
  }

  /**
   * One request of a client to a table, for adapters that send their own. `apply` is what it does there, and whether it is the first time that it is sent;
   * what that throws is the answer, too. Rejects as clients do: for being one of too many, or with a timeout, which leaves open whether it was applied.
   */
  request<Answer>(effect: EffectType, isWrite: boolean, apply: (attempt: number) => Answer): Promise<Answer> {
    const { time } = this.#around
    const { fate } = this.#fateAtTable(isWrite, true)
    return new Promise((resolve, reject) => {
      const hear = this.#hear
      const arrive = (attempt: number, isHeard: boolean): void => {
        this.#around.acting = { caller: this.#caller, effect }
        try {
          const answer = apply(attempt)
          if (isHeard) hear(this.#latency(), () => resolve(answer))
        } catch (error) {
          if (isHeard) hear(this.#latency(), () => reject(error))
        } finally {
          this.#around.acting = null
        }
      }
      if (fate === 'throttled') {
        hear(this.#latency(), () => reject(tooMany))
        return
      }
      if (fate !== 'arrives' && fate !== 'requestRepeated') hear(clientTimeoutMs, () => reject(timeout))
      if (fate === 'requestLost') return
      const delayMs = fate === 'requestLate' ? this.#dice.between(clientTimeoutMs, 15_000) : this.#latency()
      time.at(time.nowMs + delayMs, null, () => {
        arrive(1, fate === 'arrives')
        if (fate === 'requestRepeated') time.at(time.nowMs + this.#latency(), null, () => arrive(2, true))
      })
    })
  }

  /** The stream as this worker reaches it. */
  source(source: RecordSource & StreamDirectory): RecordSource & StreamDirectory {
    const through = this.#through(source, (effect, call, context) => this.#toStream(effect.type, call, context))
    return { ...through, dropBatch: source.dropBatch }
  }

  /** The same handlers behind the network. */
  #through<Handlers extends object>(
    handlers: Handlers,
    carry: (effect: EffectOf<EffectType>, call: () => unknown, context: HandlerContext) => Promise<unknown>,
  ): Handlers {
    const carried = Object.entries(handlers as Record<string, (effect: EffectOf<EffectType>, context: HandlerContext) => unknown>).map(
      ([type, handler]) => [
        type,
        (effect: EffectOf<EffectType>, context: HandlerContext) => carry(effect, () => handler(effect, uncancelled), context),
      ],
    )
    return Object.fromEntries(carried) as Handlers
  }

  get #rates(): FaultRates {
    return this.#around.calm ? noFaults : this.#around.faults
  }

  #toTable(effect: EffectType, call: () => unknown): Promise<unknown> {
    const { time } = this.#around
    const sentMs = this.#caller.clock()
    const isWrite = effect !== 'listLeases' && effect !== 'readCheckpoint' && effect !== 'checkParentShards' && effect !== 'ensureTable'
    const { fate, isCutOff } = this.#fateAtTable(isWrite, effect !== 'checkParentShards' && effect !== 'ensureTable')
    return new Promise((resolve, reject) => {
      const hear = this.#hearing(resolve, reject)
      if (fate === 'throttled') {
        hear(this.#latency(), { type: 'throttled' })
        return
      }
      time.at(time.nowMs + this.#latency(), null, () => {
        this.#fate = fate
        this.#failed = false
        this.#isCutOff = isCutOff
        this.#sentMs = sentMs
        const before = this.#around.acting
        this.#around.acting = { caller: this.#caller, effect }
        try {
          hear(this.#latency(), call() as Answer)
        } catch (error) {
          hear(clientTimeoutMs, null, error)
        } finally {
          this.#around.acting = before
        }
      })
    })
  }

  #toStream(effect: EffectType, call: () => unknown, context: HandlerContext): Promise<unknown> {
    const { time } = this.#around
    const rates = this.#rates
    const fate = this.#drawFate(false, effect !== 'closeShard')
    const expired = effect === 'readRecords' && this.#dice.chance(rates.iteratorExpired)
    return new Promise((resolve, reject) => {
      const hear = this.#hearing(resolve, reject)
      if (effect === 'closeShard') {
        hear(0, call() as Answer)
        return
      }
      if (fate !== 'arrives') {
        if (fate === 'throttled') hear(this.#latency(), { type: 'throttled' })
        else hear(clientTimeoutMs, null, timeout)
        return
      }
      if (expired) {
        this.#count('iteratorExpired')
        hear(this.#latency(), { type: 'iteratorExpired' })
        return
      }
      const prevent = time.at(time.nowMs + this.#latency(), null, () => {
        time.touch()
        Promise.resolve(call()).then(
          (answer) => hear(this.#latency(), answer as Answer),
          (error: unknown) => hear(this.#latency(), null, error),
        )
      })
      context.onAbort(() => {
        prevent()
        time.touch()
        reject(aborted)
      })
    })
  }

  #hearing(resolve: (answer: Answer) => void, reject: (error: unknown) => void) {
    return (afterMs: number, answer: Answer | null, error?: unknown): void =>
      this.#hear(afterMs, () => (answer === null ? reject(error) : resolve(answer)))
  }

  /** Lets the worker hear something, once it is not paused. */
  readonly #hear = (afterMs: number, settle: () => void): void => {
    const { time } = this.#around
    time.at(time.nowMs + afterMs, this.#caller, () => {
      time.touch()
      settle()
    })
  }

  #latency(): number {
    const usual = 1 + this.#dice.next() * 14
    if (!this.#dice.chance(this.#rates.slow)) return usual
    this.#count('slow')
    return this.#dice.between(500, 8_000)
  }

  #fateAtTable(isWrite: boolean, mayThrottle: boolean): { readonly fate: Fate; readonly isCutOff: boolean } {
    const { time, calm, stormUntilMs, cutOffUntilMs } = this.#around
    const isCutOff = !calm && time.nowMs < (cutOffUntilMs.get(this.#caller.name) ?? 0)
    const isStorming = !calm && time.nowMs < stormUntilMs && this.#dice.chance(0.8)
    const drawn = isStorming && mayThrottle ? 'throttled' : this.#drawFate(isWrite, mayThrottle)
    return { fate: isCutOff ? 'requestLost' : drawn, isCutOff }
  }

  #drawFate(isWrite: boolean, mayThrottle: boolean): Fate {
    const rates = this.#rates
    const fates: readonly (readonly [Exclude<Fate, 'arrives'>, boolean])[] = [
      ['throttled', mayThrottle],
      ['requestLost', true],
      ['answerLost', isWrite],
      ['requestLate', isWrite],
      ['requestRepeated', isWrite],
    ]
    let drawn = this.#dice.next()
    for (const [fate, isPossible] of fates) {
      if (!isPossible) continue
      if (drawn < rates[fate]) {
        this.#count(fate)
        return fate
      }
      drawn -= rates[fate]
    }
    return 'arrives'
  }

  #calls(): MemoryTableCalls {
    return {
      read: (look) => {
        if (this.#isCutOff || this.#fate === 'requestLost' || (this.#failed && this.#dice.chance(0.5))) throw timeout
        const seen = look()
        return Array.isArray(seen) && this.#dice.chance(this.#rates.listingStale) ? (this.#stale(seen) as typeof seen) : seen
      },
      write: (apply) => {
        const fate = this.#fate
        // What befalls a request befalls one: the reading that follows it goes its own way.
        this.#fate = 'arrives'
        this.#failed = fate === 'requestLost' || fate === 'answerLost' || fate === 'requestLate'
        const { acting, time } = this.#around
        switch (fate) {
          case 'answerLost':
            apply()
            throw timeout
          case 'requestLost':
            throw timeout
          case 'requestLate':
            time.at(time.nowMs + this.#dice.between(50, 15_000), null, () => {
              this.#around.acting = acting
              apply()
              this.#around.acting = null
            })
            throw timeout
          case 'requestRepeated':
            apply()
            return { applied: apply(), attempts: 2 }
          default:
            return { applied: apply(), attempts: 1 }
        }
      },
    }
  }

  #stale(rows: readonly Lease[]): readonly Lease[] {
    const { earlier, time } = this.#around
    this.#count('listingStale')
    return rows.flatMap((row) => {
      const before = earlier.get(row.leaseKey)
      if (before === undefined || time.nowMs - before.changedMs > staleMs || this.#dice.chance(0.5)) return [row]
      return before.row === null ? [] : [before.row]
    })
  }

  #count(fault: string): void {
    const { injected } = this.#around
    injected[fault] = (injected[fault] ?? 0) + 1
  }
}

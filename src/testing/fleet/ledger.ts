import { compareSequenceNumbers, type ExtendedSequenceNumber, isSentinel, isShardEnd, type Lease, type Shard } from '@shardwise/effects'
import type { LeaseMode } from '@shardwise/machine'
import type { Caller, Surroundings } from './network.ts'

/** Something that must never be, or never came to be. */
export interface Violation {
  /** S1 to S9 of the leases, D1 to D4 of the deliveries, L1 to L7 of what must come in the end, I and a number of the shard consumer, M of a machine. */
  readonly rule: string
  readonly atMs: number
  readonly leaseKey: string | null
  readonly message: string
}

/** What happened to one shard of the stream. */
interface ShardBook {
  readonly parentShardIds: readonly string[]
  /** The place of each record in the shard, by sequence number. */
  readonly places: Map<string, number>
  /** How many records were delivered at least once: the first so many, for none is skipped. */
  delivered: number
  started: boolean
}

/** One record processor and how far it came. */
export interface Tenure {
  readonly caller: Caller
  readonly shardId: string
  /** The next record that it has not completed, and the next that it was not handed. */
  completed: number
  handed: number
}

/** Keeps account of records, deliveries and leases, and says at once what may not be. */
export class Ledger {
  readonly violations: Violation[] = []
  records = 0
  deliveries = 0
  redeliveries = 0
  leasesTaken = 0
  lastTakenMs = 0
  readonly #around: Surroundings
  readonly #leaseMode: LeaseMode
  readonly #failoverTimeMillis: number
  readonly #shards = new Map<string, ShardBook>()
  /** Who acquired each lease last. */
  readonly #holders = new Map<string, Caller | null>()
  /** The greatest checkpoint of each lease that a worker was told of: one whose answer was lost is not known to be stored. */
  readonly #known = new Map<string, ExtendedSequenceNumber>()
  /** When each run of a worker heard that it had written what shows that it holds a lease, on its clock, by its name and the lease key, or its name alone. */
  readonly #heard = new Map<string, number>()

  constructor(around: Surroundings, leaseMode: LeaseMode, failoverTimeMillis: number) {
    this.#around = around
    this.#leaseMode = leaseMode
    this.#failoverTimeMillis = failoverTimeMillis
  }

  violate(rule: string, leaseKey: string | null, message: string): void {
    this.violations.push({ rule, atMs: this.#around.time.nowMs, leaseKey, message })
  }

  shardOpened({ shardId, parentShardIds }: Shard): void {
    if (!this.#shards.has(shardId)) this.#shards.set(shardId, { parentShardIds, places: new Map(), delivered: 0, started: false })
  }

  recordPut(shardId: string, sequenceNumber: string): void {
    const { places } = this.#book(shardId)
    places.set(sequenceNumber, places.size)
    this.records += 1
  }

  /** Sees every change of a row. */
  rowChanged(before: Lease | null, after: Lease | null): void {
    if (before === null && after !== null) this.#created(after)
    else if (before !== null && after === null) this.#deleted(before)
    else if (before !== null && after !== null) this.#changed(before, after)
  }

  #created(after: Lease): void {
    const { leaseKey } = after
    if (after.leaseOwner !== null || after.leaseCounter !== 0)
      this.violate('S9', leaseKey, 'a write to a lease that was deleted made it anew')
    const startedChild = [...this.#shards].find(([, { started, parentShardIds }]) => started && parentShardIds.includes(leaseKey))
    if (startedChild !== undefined && !isShardEnd(after.checkpoint)) {
      this.violate('S5', leaseKey, `the lease was created when ${startedChild[0]}, a child of the shard, had been started`)
    }
  }

  #deleted(before: Lease): void {
    const { leaseKey, checkpoint, childShardIds, parentShardIds } = before
    const { table } = this.#around
    if (!isShardEnd(checkpoint)) this.violate('S6', leaseKey, `the lease of a shard at ${checkpoint.sequenceNumber} was deleted`)
    const unstarted = childShardIds.find((child) => ['TRIM_HORIZON', undefined].includes(table.row(child)?.checkpoint.sequenceNumber))
    if (unstarted !== undefined) this.violate('S6', leaseKey, `the lease was deleted before ${unstarted}, a child, had got anywhere`)
    const parent = parentShardIds.find((shardId) => table.row(shardId) !== undefined)
    if (parent !== undefined) this.violate('S6', leaseKey, `the lease was deleted before that of ${parent}, a parent`)
  }

  #changed(before: Lease, after: Lease): void {
    const { acting, time, table } = this.#around
    const { leaseKey } = after
    const caller = acting?.caller
    const isMeta = after.leaseCounter === before.leaseCounter
    const sameCheckpoint = compareSequenceNumbers(after.checkpoint, before.checkpoint) === 0
    if (after.leaseCounter < before.leaseCounter || (isMeta && !sameCheckpoint)) {
      this.violate('S2', leaseKey, `the lease counter went from ${before.leaseCounter} to ${after.leaseCounter}`)
    }
    if ((acting?.effect === 'acquireLease' || acting?.effect === 'requestHandoff') && before.leaseOwner !== after.leaseOwner) {
      this.leasesTaken += 1
      this.lastTakenMs = time.nowMs
    }
    if (acting?.effect === 'acquireLease' && caller !== undefined) {
      this.#holders.set(leaseKey, caller)
    } else if (!isMeta && caller !== undefined && caller !== this.#holders.get(leaseKey)) {
      this.violate('S1', leaseKey, `${caller.name} wrote to a lease that ${this.#holders.get(leaseKey)?.name ?? 'nobody'} holds`)
    }
    if (sameCheckpoint) return
    if (caller?.workerId !== (before.checkpointOwner ?? before.leaseOwner)) {
      this.violate(
        'S1',
        leaseKey,
        `${caller?.name ?? 'nobody'} checkpointed a lease of ${before.checkpointOwner ?? before.leaseOwner ?? 'nobody'}`,
      )
    }
    const known = this.#known.get(leaseKey)
    if (known !== undefined && compareSequenceNumbers(after.checkpoint, known) < 0) {
      this.violate('S3', leaseKey, `the checkpoint went back from ${placed(known)} to ${placed(after.checkpoint)}`)
    }
    if (isShardEnd(after.checkpoint)) {
      const orphan = [...this.#shards].find(([id, book]) => book.parentShardIds.includes(leaseKey) && table.row(id) === undefined)
      if (orphan !== undefined) this.violate('S4', leaseKey, `the end of the shard was stored before ${orphan[0]}, a child, had a lease`)
      const { places, delivered } = this.#book(leaseKey)
      if (delivered < places.size)
        this.violate('D2', leaseKey, `the end of the shard was stored with ${places.size - delivered} records undelivered`)
    } else {
      const { places, delivered } = this.#book(leaseKey)
      const place = places.get(after.checkpoint.sequenceNumber)
      if (place === undefined || place >= delivered)
        this.violate('D3', leaseKey, `the checkpoint ${placed(after.checkpoint)} was stored and never delivered`)
    }
  }

  /** A worker is told what is stored. */
  checkpointKnown(leaseKey: string, checkpoint: ExtendedSequenceNumber): void {
    const known = this.#known.get(leaseKey)
    if (known === undefined || compareSequenceNumbers(checkpoint, known) > 0) this.#known.set(leaseKey, checkpoint)
  }

  /** A worker hears that it took a lease or wrote to it. */
  leaseHeard(caller: Caller, leaseKey: string): void {
    if (this.#leaseMode === 'kcl') this.#heard.set(`${caller.name} ${leaseKey}`, caller.clock())
  }

  /** A worker hears that it wrote its heartbeat. */
  heartbeatHeard(caller: Caller): void {
    this.#heard.set(caller.name, caller.clock())
  }

  /** A worker asks for a checkpoint to be written. One that was paused may not have heard yet that its lease ran out. */
  checkpointSent(caller: Caller, leaseKey: string): void {
    const heardMs = this.#heard.get(this.#leaseMode === 'kcl' ? `${caller.name} ${leaseKey}` : caller.name) ?? 0
    if (caller.resumedMs > heardMs) return
    const forMs = caller.clock() - heardMs
    if (forMs > this.#failoverTimeMillis)
      this.violate('S8', leaseKey, `${caller.name} checkpoints ${forMs} ms after it last heard that it holds the lease`)
  }

  /** A record processor is initialised. */
  processorStarted(caller: Caller, shardId: string, from: ExtendedSequenceNumber): Tenure {
    const { table } = this.#around
    const book = this.#book(shardId)
    const row = table.row(shardId)
    for (const parent of book.parentShardIds) {
      const parentRow = table.row(parent)
      if (parentRow !== undefined && !isShardEnd(parentRow.checkpoint)) {
        this.violate('S5', shardId, `${caller.name} starts while ${parent}, a parent, is at ${placed(parentRow.checkpoint)}`)
      }
    }
    if (row?.leaseOwner === caller.workerId && row.checkpointOwner !== null && row.checkpointOwner !== caller.workerId) {
      this.violate('S7', shardId, `${caller.name} starts while ${row.checkpointOwner} may still checkpoint`)
    }
    book.started = true
    const place = isSentinel(from.sequenceNumber) ? -1 : book.places.get(from.sequenceNumber)
    if (place === undefined) this.violate('D1', shardId, `${caller.name} starts at ${placed(from)}, which is no record of the shard`)
    const next = (place ?? -1) + 1
    return { caller, shardId, completed: next, handed: next }
  }

  /** A batch is handed to a record processor. Answers with the place after its last record. */
  batchHanded(tenure: Tenure, sequenceNumbers: readonly string[]): number {
    const { shardId, caller } = tenure
    const book = this.#book(shardId)
    const [first] = sequenceNumbers
    if (first === undefined) return tenure.handed
    const start = book.places.get(first) ?? -1
    if (start < tenure.completed || start > tenure.handed) {
      const expected = `${tenure.completed} to ${tenure.handed}`
      this.violate('D1', shardId, `${caller.name} delivers record ${start}, expected one from ${expected}`)
    }
    sequenceNumbers.forEach((sequenceNumber, index) => {
      const place = book.places.get(sequenceNumber)
      if (place !== start + index) this.violate('D1', shardId, `${caller.name} delivers record ${String(place)} after ${start + index - 1}`)
    })
    const end = start + sequenceNumbers.length
    this.deliveries += sequenceNumbers.length
    this.redeliveries += Math.max(0, Math.min(book.delivered, end) - start)
    book.delivered = Math.max(book.delivered, end)
    tenure.handed = Math.max(tenure.handed, end)
    return end
  }

  /** The records of a shard that were never delivered: how many. */
  undelivered(): readonly { readonly shardId: string; readonly count: number }[] {
    return [...this.#shards].flatMap(([shardId, { places, delivered }]) =>
      delivered < places.size ? [{ shardId, count: places.size - delivered }] : [],
    )
  }

  /** How many records of a shard lie above a checkpoint. */
  above(shardId: string, checkpoint: ExtendedSequenceNumber): number {
    const { places } = this.#book(shardId)
    if (isShardEnd(checkpoint)) return 0
    return places.size - 1 - (places.get(checkpoint.sequenceNumber) ?? -1)
  }

  #book(shardId: string): ShardBook {
    const book = this.#shards.get(shardId)
    if (book === undefined) throw new Error(`shardId: expected a shard of the stream, got ${shardId}`)
    return book
  }
}

/** A sequence number as people tell it from others: by its end. */
const placed = ({ sequenceNumber }: ExtendedSequenceNumber): string =>
  sequenceNumber.length > 20 ? `…${sequenceNumber.slice(-9)}` : sequenceNumber

/** One shard that went from one worker to another. */
export interface Handover {
  readonly shardId: string
  readonly from: string
  readonly to: string
  /** From the last order that the old owner delivered to the first of the new one. */
  readonly gapMs: number
  /** Whether the old owner was killed; else it gave the shard away. */
  readonly wasKilled: boolean
}

/** Sees who delivers the orders of each shard, and when. Times are monotonic milliseconds. */
export class Handovers {
  readonly #last = new Map<string, { readonly workerId: string; readonly atMs: number }>()
  readonly #killed = new Set<string>()
  readonly #seen: Handover[] = []

  get seen(): readonly Handover[] {
    return this.#seen
  }

  enterKilled(workerId: string): void {
    this.#killed.add(workerId)
  }

  enterDelivered(shardId: string, workerId: string, atMs: number): void {
    const last = this.#last.get(shardId)
    if (last !== undefined && last.workerId !== workerId) {
      const { workerId: from } = last
      this.#seen.push({ shardId, from, to: workerId, gapMs: atMs - last.atMs, wasKilled: this.#killed.has(from) })
    }
    this.#last.set(shardId, { workerId, atMs })
  }
}

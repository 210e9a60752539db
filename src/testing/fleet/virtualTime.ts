/** Something that happens at a time. A process that is paused takes it when it goes on, one that crashed never does. */
interface Due {
  atMs: number
  /** When it was to happen: what a pause held up happens in the order in which it was due, as timers do that are late. */
  readonly dueMs: number
  readonly order: number
  readonly process: Process | null
  run: (() => void) | null
}

/** What time passes for: a process that may be paused, or have crashed. */
export interface Process {
  readonly alive: boolean
  readonly pausedUntilMs: number
}

/** A time that passes only when everything that was due has happened. What is due at one time happens in the order in which it was asked for. */
export class VirtualTime {
  nowMs = 0
  /** How many things have happened. */
  happened = 0
  readonly #heap: Due[] = []
  #asked = 0
  #touched = 0

  /** Runs something at a time, in the name of a process or of the world. The function that is given back prevents it. */
  at(atMs: number, process: Process | null, run: () => void): () => void {
    this.#asked += 1
    const dueMs = Math.max(atMs, this.nowMs)
    const due: Due = { atMs: dueMs, dueMs, order: this.#asked, process, run }
    this.#push(due)
    return () => {
      due.run = null
    }
  }

  /** Says that a promise was settled or a machine stepped: what follows from that comes before anything else happens. */
  touch = (): void => {
    this.#touched += 1
  }

  /** Lets time pass. Ends early when `until` says so, which is asked after everything that happened. */
  async run(toMs: number, until: () => boolean = () => false): Promise<void> {
    await this.#settle()
    for (let due = this.#heap[0]; due !== undefined && due.atMs <= toMs; due = this.#heap[0]) {
      this.#pop()
      const { run, process } = due
      if (run === null || process?.alive === false) continue
      this.nowMs = due.atMs
      if (process !== null && process.pausedUntilMs > this.nowMs) {
        due.atMs = process.pausedUntilMs
        this.#push(due)
        continue
      }
      this.happened += 1
      const before = this.#touched
      run()
      if (this.#touched !== before) await this.#settle()
      if (until()) return
    }
    this.nowMs = Math.max(this.nowMs, toMs)
  }

  /** Waits until no promise leads to another step: the longest way from one to the next is shorter than the rounds that are waited here. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 12; quiet += 1) {
      const before = this.#touched
      await settled
      if (this.#touched !== before) quiet = -1
    }
  }

  #push(due: Due): void {
    const heap = this.#heap
    let index = heap.push(due) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(due, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = due
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [heap[left], heap[left + 1]]
      if (a === undefined) break
      const isRight = b !== undefined && isBefore(b, a)
      const child = isRight ? b : a
      if (!isBefore(child, last)) break
      heap[index] = child
      index = isRight ? left + 1 : left
    }
    heap[index] = last
  }
}

const settled = Promise.resolve()

const isBefore = (a: Due, b: Due): boolean =>
  a.atMs !== b.atMs ? a.atMs < b.atMs : a.dueMs !== b.dueMs ? a.dueMs < b.dueMs : a.order < b.order

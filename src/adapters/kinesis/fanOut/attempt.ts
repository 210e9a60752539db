import type { HandlerContext } from '@shardwise/effects'
import { namedError } from '../invalidAnswer.ts'

/** The context of a piece of work that somebody besides the driver may give up. */
export class Attempt implements HandlerContext {
  #listeners: (() => void)[] = []
  #aborted = false

  get signal(): never {
    throw new Error('signal: an attempt is aborted by its listeners')
  }

  get aborted(): boolean {
    return this.#aborted
  }

  onAbort(listener: () => void): void {
    if (this.#aborted) listener()
    else this.#listeners.push(listener)
  }

  /** Gives the work up; nothing happens after `settle`. */
  abort(): void {
    this.#aborted = true
    const listeners = this.#listeners
    this.settle()
    for (const listener of listeners) listener()
  }

  /** The work is done: what was made stays. */
  settle(): void {
    this.#listeners = []
  }
}

/** Waits for what others may wait for too: an abort ends this wait alone, with AbortError. */
export function waitFor<T>(name: string, work: Promise<T>, context: HandlerContext): Promise<T> {
  return new Promise((resolve, reject) => {
    context.onAbort(() => reject(namedError('AbortError', `${name}: aborted`)))
    work.then(resolve, reject)
  })
}

import { vi } from 'vitest'

/** Stops the clocks and timers of this process until `realTime` is called: they go on as a test lets them. */
export function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
}

/** Gives the process its clocks and timers back. */
export function realTime(): void {
  vi.restoreAllMocks()
  vi.useRealTimers()
}

export const minutes = (count: number): number => count * 60_000

/** Lets time pass, in ms: what is due happens in its order, and all that follows from it before anything later. */
export const pass = (forMs: number): Promise<unknown> => vi.advanceTimersByTimeAsync(forMs)

/** Lets time pass, second by second, until something holds. @throws Error when it does not within so many ms. */
export async function passUntil(what: string, holds: () => boolean, withinMs: number): Promise<number> {
  for (let passedMs = 0; passedMs <= withinMs; passedMs += 1_000) {
    if (holds()) return passedMs
    await pass(1_000)
  }
  throw new Error(`passUntil: ${what} did not come about within ${withinMs} ms`)
}

import type { Timers } from '@shardwise/effects'

/** Timers of the platform. A cancelled timer rejects, so that nothing waits for it. */
export const timers: Timers = {
  startTimer: ({ delayMs }, { signal }) =>
    new Promise((resolve, reject) => {
      const cancel = (): void => {
        clearTimeout(timer)
        reject(new DOMException('the timer was cancelled', 'AbortError'))
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', cancel)
        resolve({ type: 'timerFired', nowMs: performance.now() })
      }, delayMs)
      signal.addEventListener('abort', cancel, { once: true })
    }),
}

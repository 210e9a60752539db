import type { Timers } from '@shardwise/effects'

/** Timers of the platform. A cancelled timer rejects, so that nothing waits for it. */
export const timers: Timers = {
  startTimer: ({ delayMs }, context) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve({ type: 'timerFired', nowMs: performance.now() }), delayMs)
      context.onAbort(() => {
        clearTimeout(timer)
        reject(new DOMException('the timer was cancelled', 'AbortError'))
      })
    }),
}

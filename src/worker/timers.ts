import type { Timers } from '@shardwise/effects'

/** 24.8 days: the platform fires a timer that was asked for longer at once. */
const longestDelayMs = 2 ** 31 - 1

/** Timers of the platform. A cancelled timer rejects, so that nothing waits for it. A delay beyond 24.8 days ends after these. */
export const timers: Timers = {
  startTimer: ({ delayMs }, context) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve({ type: 'timerFired', nowMs: performance.now() }), Math.min(delayMs, longestDelayMs))
      context.onAbort(() => {
        clearTimeout(timer)
        reject(new DOMException('the timer was cancelled', 'AbortError'))
      })
    }),
}

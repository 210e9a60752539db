import type { Timers } from '@shardwise/effects'
import { aborted, type Caller } from './network.ts'
import type { VirtualTime } from './virtualTime.ts'

/** Timers on the clock of a worker. One that is cancelled rejects, as those of the platform do. */
export const virtualTimers = (time: VirtualTime, caller: Caller): Timers => ({
  startTimer: ({ delayMs }, context) => {
    const dueMs = caller.clock() + delayMs
    return new Promise((resolve, reject) => {
      let prevent: () => void
      const wait = (forMs: number): void => {
        prevent = time.at(time.nowMs + forMs / caller.rate, caller, () => {
          const nowMs = caller.clock()
          // The clock stood still meanwhile. A thousandth of a millisecond is lost in the arithmetic.
          if (nowMs < dueMs - 0.001) wait(dueMs - nowMs)
          else {
            time.touch()
            resolve({ type: 'timerFired', nowMs })
          }
        })
      }
      wait(delayMs)
      context.onAbort(() => {
        prevent()
        time.touch()
        reject(aborted)
      })
    })
  },
})

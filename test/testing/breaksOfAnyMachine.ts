import type { Break } from './brokenRuntimes.ts'

/** Aborts all effects at a cancel. */
export const abortsAll: Break = (_, parts) => ({
  cancel() {
    for (const { abort } of parts.out.values()) abort()
  },
})

/** Calls back only those who listened before the abort. */
export const callsEarlyListenersAlone: Break = (whole) => ({
  makeOut(id) {
    const { context, abort } = whole.makeOut(id)
    return { context: { signal: context.signal, onAbort: (listener) => context.signal.addEventListener('abort', listener) }, abort }
  },
})

/** Leaves effects out when it is closed. */
export const leavesOutAtClose: Break = (_, parts) => ({
  close() {
    parts.closed = true
  },
})

/** Takes close for the end of the machine. */
export const takesCloseForTheEnd: Break = (whole, parts) => ({
  close() {
    whole.close()
    parts.resolve(parts.snapshot)
  },
})

/** Goes on when its observer throws. */
export const forgivesItsObserver: Break = (whole) => ({
  observe(...step) {
    try {
      whole.observe(...step)
    } catch {
      // It is only an observer.
    }
  },
})

/** Shows a step when its effects have started. */
export const showsAfterwards: Break = (whole) => {
  let show = (): void => undefined
  return {
    observe: (...step) => void (show = () => whole.observe(...step)),
    startAll(effects) {
      whole.startAll(effects)
      show()
    },
  }
}

import type { HandlerContext } from '@shardwise/effects'

/** What a handler gets beside its effect, with a signal of the test's. */
export function contextOf(signal: AbortSignal): HandlerContext {
  return { signal, onAbort: (listener) => signal.addEventListener('abort', listener, { once: true }) }
}

/** The same for an effect that is never aborted. */
export const neverAborted: HandlerContext = contextOf(new AbortController().signal)

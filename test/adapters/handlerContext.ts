import type { HandlerContext } from '@shardwise/effects'

/** What a handler gets beside its effect, with a signal of the test's. */
export function contextOf(signal: AbortSignal): HandlerContext {
  const onAbort = (listener: () => void): void => {
    if (signal.aborted) listener()
    else signal.addEventListener('abort', listener, { once: true })
  }
  return { signal, onAbort }
}

/** The same for an effect that is never aborted. */
export const neverAborted: HandlerContext = { signal: new AbortController().signal, onAbort: () => undefined }

import type { AbortSignalLike, HandlerContext } from '@shardwise/effects'

interface AbortControllerLike {
  readonly signal: AbortSignalLike
  abort(): void
}

/** What a handler gets beside its effect, and the means to abort it. @throws Error in a runtime without AbortController. */
export function abortableContext(): { readonly context: HandlerContext; abort(): void } {
  const { AbortController } = globalThis as unknown as { AbortController?: new () => AbortControllerLike }
  if (AbortController === undefined) throw new Error('signal: this runtime has no AbortController')
  const controller = new AbortController()
  const { signal } = controller
  const onAbort = (listener: () => void): void => {
    if (signal.aborted) listener()
    else signal.addEventListener('abort', listener, { once: true })
  }
  return { context: { signal, onAbort }, abort: () => controller.abort() }
}

/** What a handler gets that nobody aborts: each effect has its own, as with a driver, so that listeners do not pile up on one. */
export const ownContext = (): HandlerContext => abortableContext().context

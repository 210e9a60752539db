import type { Logger } from './logger.ts'

/**
 * Warns when the event loop was blocked for longer than half of the failover time: nothing is renewed meanwhile, and beyond the whole of it every lease of the
 * process is lost. Returns what ends the watch. `nowMs` is monotonic milliseconds.
 */
export function watchEventLoop(failoverTimeMillis: number, logger: Logger, nowMs = () => performance.now()): () => void {
  const everyMs = Math.max(1, Math.floor(failoverTimeMillis / 4))
  let dueMs = nowMs() + everyMs
  const timer = setInterval(() => {
    const lateMs = nowMs() - dueMs
    dueMs = nowMs() + everyMs
    if (lateMs <= failoverTimeMillis / 2) return
    logger.warn(
      `worker: the event loop was blocked for ${Math.round(lateMs)} ms: no lease is renewed meanwhile, and after failoverTimeMillis, ${failoverTimeMillis} ms, all are lost`,
    )
  }, everyMs)
  // It keeps no process alive.
  timer.unref()
  return () => clearInterval(timer)
}

import { constants } from 'node:os'

/** What to do when the process is asked to stop. */
export interface StopHandlers {
  /** The first request: stop in order. */
  stop(signal: NodeJS.Signals): void
  /** The second: give up what can be given up at once. The process ends when the promise is settled, at a third request, or after `graceMs`. */
  force(): Promise<void>
  readonly graceMs?: number
}

/** Listens to SIGINT and SIGTERM. A forced end exits with 128 and the number of the signal. Returns what ends the listening. */
export function onStopSignals({ stop, force, graceMs = 2_000 }: StopHandlers): () => void {
  let requests = 0
  const hear = (signal: NodeJS.Signals): void => {
    requests += 1
    const exit = (): never => process.exit(128 + (constants.signals[signal] ?? 0))
    if (requests === 1) stop(signal)
    else if (requests === 2) {
      setTimeout(exit, graceMs)
      force().then(exit, exit)
    } else exit()
  }
  process.on('SIGINT', hear)
  process.on('SIGTERM', hear)
  return () => {
    process.off('SIGINT', hear)
    process.off('SIGTERM', hear)
  }
}

/** One worker of a fleet, in a process of its own: consumes orders, and tells its parent of each before it checkpoints. Ends when it is told to, or left alone. */
import { Worker } from 'shardwise'
import { trackProgress } from '../src/worker/shardProgress.ts'
import { demoPace } from './demoPace.ts'
import { OrderProcessor } from './orderProcessor.ts'
import type { StopMessage, WorkerMessage, WorkerStart } from './workerMessages.ts'

const progressEveryMs = 200

// Ctrl-C reaches the whole process group; the parent says what is to be done.
process.on('SIGINT', () => undefined)

const start = JSON.parse(process.argv[2] ?? '{}') as WorkerStart
const progress = trackProgress()

/** Resolves when the operating system has the message: after that not even SIGKILL takes it back. */
function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })
}
const log = (line: string): void => void tell({ type: 'logged', line: `${start.workerId}: ${line}` })
const tellProgress = (): Promise<void> => tell({ type: 'progress', phase: progress.phase, shards: progress.shards })

const worker = new Worker({
  ...start,
  ...demoPace,
  failoverTimeMillis: 3_000,
  region: 'us-east-1',
  processor: () => new OrderProcessor((entries) => tell({ type: 'delivered', entries })),
  observe: progress.observe,
  logger: { debug: () => undefined, info: () => undefined, warn: log, error: log },
})
process.on('message', ({ type }: StopMessage) => {
  if (type === 'stop') void worker.stop()
})
// Without its parent nobody hears of what is delivered.
const exit = (): never => process.exit(1)
process.once('disconnect', exit)

const telling = setInterval(() => void tellProgress(), progressEveryMs)
try {
  await worker.run()
} finally {
  clearInterval(telling)
  await tellProgress()
  process.off('disconnect', exit)
  process.disconnect()
}

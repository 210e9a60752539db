import { type CommandLine, inFlags } from './commandLineOptions.ts'
import { lineLogger } from './lineLogger.ts'
import { showLive } from './liveView.ts'
import { writeProgress } from './progressLines.ts'
import { trackProgress } from './shardProgress.ts'
import { onStopSignals } from './stopSignals.ts'
import { Worker } from './worker.ts'
import type { WorkerOptions } from './workerOptions.ts'

/** How often a log says how far each shard has come. */
const linesEveryMs = 10_000

/** Consumes as the command line says, until SIGINT or SIGTERM. @throws what is wrong with the options, and what made the worker fail. */
export async function consume(
  { options, logLevel, live }: Omit<CommandLine, 'processorFile'>,
  processor: WorkerOptions['processor'],
): Promise<void> {
  const isLive = live && process.stdout.isTTY
  const logger = lineLogger(logLevel ?? (isLive ? 'warn' : 'info'), (line) => void process.stderr.write(line))
  const progress = trackProgress()
  const worker = makeWorker({ ...options, processor, logger, observe: progress.observe })
  const stopListening = onStopSignals({
    stop(signal) {
      logger.info(`${signal}: stopping; once more to give up the leases at once`)
      void worker.stop()
    },
    async force() {
      logger.warn('giving up the leases without waiting for record processors')
      void worker.stop({ force: true })
      await progress.leasesGivenUp()
    },
  })
  const stream = options.streamName ?? options.streamArn ?? ''
  const title = (): string => `${options.applicationName} on ${stream}: ${progress.phase}`
  const view = isLive ? showLive(progress, title) : writeProgress(progress, linesEveryMs, (line) => logger.info(line))
  try {
    await worker.run()
  } finally {
    view.close()
    stopListening()
  }
  const delivered = progress.shards.reduce((sum, shard) => sum + shard.delivered, 0)
  logger.info(`stopped: ${delivered} records delivered, every lease given up`)
}

/** @throws Error that names a wrong option by its flag. */
export function makeWorker(options: WorkerOptions): Worker {
  try {
    return new Worker(options)
  } catch (cause) {
    throw new Error(inFlags(cause instanceof Error ? cause.message : String(cause)), { cause })
  }
}

import { isShardEnd } from '@shardwise/effects'
import { consumerState, type ShardConsumerSnapshot } from '@shardwise/machine'
import type { Observation, Observer } from '@shardwise/machine/host'
import { inOneLine } from './inOneLine.ts'

/** Where a worker writes; `console` and pino fit. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** Writes down what users of a worker should hear of: failures and lost leases as warnings, changes of state as information. */
export function logObservations(given: Logger): Observer {
  const logger = inLines(given)
  const lags = new Map<string, number>()
  return (observation) => {
    // A stale answer, such as that of a cancelled timer.
    if (observation.step.before === observation.step.after) return
    if (observation.machine === 'coordinator') logCoordinator(logger, observation)
    else if (observation.machine === 'leaseKeeper') logLeaseKeeper(logger, observation)
    else {
      logShardConsumer(logger, observation)
      logLag(logger, lags, observation)
    }
  }
}

/** Errors quote what others sent: a row, a child, AWS. */
function inLines(logger: Logger): Logger {
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(inOneLine(message)),
    error: (message) => logger.error(inOneLine(message)),
  }
}

function logCoordinator(logger: Logger, { step }: Extract<Observation, { machine: 'coordinator' }>): void {
  const { event, before, after } = step
  if (event?.type === 'effectFailed') logger.warn(`leases: ${event.error.name}: ${event.error.message}`)
  if (event?.type === 'throttled') logger.warn('leases: throttled')
  if (after.failure !== null && before?.failure === null) logger.error(`worker: ${after.failure.name}: ${after.failure.message}`)
  const wroteMs = before?.heartbeat?.writtenMs ?? null
  if (wroteMs !== null && after.heartbeat?.writtenMs === null) {
    const { failoverTimeMillis } = after.options
    logger.warn(`worker: no heartbeat was written for ${failoverTimeMillis} ms, and others may have its leases by now: they are given up`)
  }
  if (before !== null && before.phase !== after.phase) logger.info(`worker: ${after.phase}`)
}

function logLeaseKeeper(logger: Logger, { leaseKey, step }: Extract<Observation, { machine: 'leaseKeeper' }>): void {
  const { event, before, after } = step
  if (event?.type === 'effectFailed') logger.warn(`${leaseKey}: lease: ${event.error.name}: ${event.error.message}`)
  if (event?.type === 'workerIdShared') logger.warn(`${leaseKey}: the lease is lost to another process with the id of this worker`)
  if (event?.type === 'throttled') logger.warn(`${leaseKey}: lease: throttled`)
  if (event?.type === 'leaseRefused' || event?.type === 'leaseLost') logger.warn(`${leaseKey}: the lease is lost`)
  if (event?.type === 'timerFired' && after.phase === 'leaving' && before?.phase !== 'leaving') {
    const { failoverTimeMillis } = after.input
    logger.warn(`${leaseKey}: the lease was not renewed for ${failoverTimeMillis} ms, and others may have it by now: it is given up`)
  }
  if (before !== null && after.restarts > before.restarts) {
    logger.warn(`${leaseKey}: a fresh record processor starts from the last checkpoint`)
  }
  if (before === null) logger.info(`${leaseKey}: lease acquired`)
  else if (before.phase !== after.phase && after.phase === 'gone') logger.info(`${leaseKey}: lease given up`)
}

/** Answers that a user should hear of, though they are expected outcomes. */
const remarkable: Readonly<Record<string, string>> = {
  throttled: 'throttled',
  leaseNotFound: 'the lease table has no row for this shard: the lease is lost',
  checkpointRefused: 'the checkpoint was refused: the lease is lost',
  shardNotFound: 'Kinesis does not know this shard',
  streamNotFound: 'Kinesis does not know the stream: the end of the shard is not stored',
  shardStillOpen: 'the shard was said to have ended, and is still open: the lease is given away',
  siblingLeaseMissing: 'the other parent of a merged child has no lease yet',
  batchGone: 'the records of a batch are gone: the shard is opened again',
  processorGone: 'the record processor is gone',
}

function logShardConsumer(logger: Logger, { shardId, step }: Extract<Observation, { machine: 'shardConsumer' }>): void {
  const { event, before, after, effects } = step
  if (event !== null && 'error' in event) logger.warn(`${shardId}: ${event.type}: ${event.error.name}: ${event.error.message}`)
  const remark = event === null ? undefined : remarkable[event.type]
  if (remark !== undefined) logger.warn(`${shardId}: ${remark}`)
  for (const effect of effects) {
    if (effect.type === 'notifyShardEnded' && effect.attempt > 0) {
      logger.error(
        `${shardId}: shardEnded must checkpoint, and did not: its children cannot start. It is called again, attempt ${effect.attempt + 1}`,
      )
    }
    logger.debug(`${shardId}: ${effect.type}`)
  }
  if (isToBeMadeAnew(after) && before?.context.replay === false) {
    const why = event?.type === 'processorGone' ? 'is gone' : "ended without the checkpoint of the shard's end"
    logger.error(`${shardId}: the record processor ${why}: it is made anew`)
  }
  if (event?.type === 'pause') logger.info(`${shardId}: paused`)
  if (event?.type === 'resume') logger.info(`${shardId}: resumed`)
  const state = consumerState(after.value)
  if (before === null || consumerState(before.value) !== state) logger.info(`${shardId}: ${state}`)
}

/** Whether the lease is kept, and its record processor, which has not stored the end of the shard, is to be replaced. */
function isToBeMadeAnew({ context: { replay, reason, checkpoint } }: ShardConsumerSnapshot): boolean {
  return replay && reason !== 'LEASE_LOST' && !(checkpoint !== null && isShardEnd(checkpoint))
}

const lagStepHours = 12

/** Kinesis never says that records were deleted before they were read: a lag that comes near the shortest retention is the only sign, and comes before. */
function logLag(logger: Logger, lags: Map<string, number>, { shardId, step }: Extract<Observation, { machine: 'shardConsumer' }>): void {
  if (consumerState(step.after.value) === 'SHUTDOWN_COMPLETE') lags.delete(shardId)
  if (step.event?.type !== 'recordsRead') return
  const hours = Math.floor((step.event.batch.millisBehindLatest ?? 0) / 3_600_000)
  const steps = Math.floor(hours / lagStepHours)
  if (steps > (lags.get(shardId) ?? 0)) {
    logger.warn(
      `${shardId}: ${hours} h behind the newest record: what is older than the retention of the stream, 24 h unless it was raised, is gone unread`,
    )
  }
  lags.set(shardId, steps)
}

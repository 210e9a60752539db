/** How old the last checkpoint of each shard is: what a worker that crashed now would deliver again. */
import type { Observer } from '@shardwise/machine/host'

/** `observe` goes into the options of a worker; `ages` says seconds since the last checkpoint, or since the shard was begun. */
export function checkpointAges(nowMs = () => performance.now()) {
  const storedMs = new Map<string, number>()
  const observe: Observer = (observation) => {
    if (observation.machine !== 'shardConsumer') return
    const { shardId, step } = observation
    if (step.before === null || (step.event?.type === 'checkpointWritten' && step.after !== step.before)) storedMs.set(shardId, nowMs())
    if (step.after.status === 'done') storedMs.delete(shardId)
  }
  return {
    observe,
    ages: (): ReadonlyMap<string, number> => new Map([...storedMs].map(([shardId, ms]) => [shardId, Math.round((nowMs() - ms) / 1_000)])),
  }
}

import { type ShardConsumerSnapshot, start, step } from '@shardwise/machine'

/** What a step costs with so many shard consumers in the process, taken in turn. */
export interface StepCost {
  readonly consumers: number
  readonly nanosPerStep: number
}

const place = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })
const batch = {
  batchId: 'b1',
  count: 100,
  first: place('49590338271490256608559692538361571095921575989136588898'),
  last: place('49590338271490256608559692540925702759324208523137515618'),
  bytes: 20_000,
  millisBehindLatest: 5_000,
  atShardEnd: false,
  childShards: [],
}

function consumerAtWork(index: number): ShardConsumerSnapshot {
  const [started] = start({ shardId: `shardId-${String(index).padStart(12, '0')}`, token: 1 })
  const [checked] = step(started, { type: 'parentShardsCompleted', id: 1 })
  const [read] = step(checked, { type: 'checkpointRead', id: 2, checkpoint: place('TRIM_HORIZON'), pendingCheckpoint: null })
  const [opened] = step(read, { type: 'shardOpened', id: 3, openedAtMs: 0 })
  return step(opened, { type: 'initialized', id: 4 })[0]
}

/** Measures the two steps of a batch, CPU time of this process: read, and processed. */
export function measureStepCost(consumers: number, steps: number): StepCost {
  const snapshots = Array.from({ length: consumers }, (_, index) => consumerAtWork(index))
  const turn = (count: number): void => {
    for (let taken = 0; taken < count; taken += 2) {
      const index = (taken / 2) % consumers
      const waiting = snapshots[index]
      if (waiting === undefined) throw new Error(`snapshots: none at ${index}`)
      const [processing] = step(waiting, { type: 'recordsRead', id: idOf(waiting), batch })
      const [reading] = step(processing, { type: 'recordsProcessed', id: idOf(processing) })
      snapshots[index] = reading
    }
  }
  turn(Math.min(steps, 20_000))
  const before = process.cpuUsage()
  turn(steps)
  const { user, system } = process.cpuUsage(before)
  return { consumers, nanosPerStep: ((user + system) * 1_000) / steps }
}

function idOf({ context }: ShardConsumerSnapshot): number {
  if (context.task === null) throw new Error('task: the consumer waits for nothing')
  return context.task.id
}

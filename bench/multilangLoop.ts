import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createBatchStore } from '@shardwise/effects'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { childProcessors } from '@shardwise/multilang'
import { Worker, type WorkerOptions } from 'shardwise'
import { alignColumns, median } from './results.ts'

/** What record processors cost in processes of their own, beside one in the process of the worker: a stream in memory, a checkpoint for every batch. */
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const rounds = values.quick ? 3 : 7
const [shards, recordsPerShard, recordsPerBatch, bytesPerRecord] = [4, values.quick ? 10_000 : 100_000, 1_000, 200]

const node = `
  const processor = {
    initialize: (input, done) => done(),
    processRecords: ({ checkpointer }, done) => checkpointer.checkpoint(() => done()),
    leaseLost: (input, done) => done(),
    shardEnded: (input, done) => done(),
  }
  require('aws-kcl')(processor).run()`
const python = `
import json, sys
def say(message):
    sys.stdout.write('\\n' + json.dumps(message) + '\\n')
    sys.stdout.flush()
for line in sys.stdin:
    message = json.loads(line)
    if message['action'] == 'processRecords':
        say({'action': 'checkpoint', 'sequenceNumber': None, 'subSequenceNumber': None})
        sys.stdin.readline()
    say({'action': 'status', 'responseFor': message['action']})`

const inChildren = (command: readonly string[]): WorkerOptions['processor'] => childProcessors({ command, logger: console })
const contestants: readonly { readonly name: string; readonly processor: WorkerOptions['processor'] }[] = [
  {
    name: 'in the process of the worker',
    processor: () => ({
      initialize: () => undefined,
      processRecords: ({ checkpointer }) => checkpointer.checkpoint(),
      leaseLost: () => undefined,
      shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
    }),
  },
  { name: 'aws-kcl, a process for each shard', processor: inChildren([process.execPath, '-e', node]) },
  { name: 'Python, a process for each shard', processor: inChildren(['python3', '-c', python]) },
]

interface Round {
  readonly recordsPerSecond: number
  readonly processes: number
  /** Resident memory that one child does not share with others, MB; NaN without children. */
  readonly childMb: number
}

/** Consumes the stream once; the time is that from the first batch handed over to the last one done, without the start of processes. */
async function consume(processor: WorkerOptions['processor']): Promise<Round> {
  const stream = createMemoryStream({ shardCount: shards })
  const data = new Uint8Array(bytesPerRecord).fill(120)
  for (const { hashKeyRange } of stream.listShards()) {
    for (let n = 0; n < recordsPerShard; n += 1) stream.put({ partitionKey: 'key', data, explicitHashKey: hashKeyRange.startingHashKey })
  }
  const batches = createBatchStore()
  const others = new Set(children())
  let [startedMs, endedMs, done] = [0, 0, 0]
  let memory: readonly number[] = []
  const worker = new Worker({
    applicationName: 'bench',
    adapters: { leases: createMemoryLeaseTable().store(), source: memoryRecordSource({ stream, batches }), batches },
    maxRecords: recordsPerBatch,
    processor,
    observe({ machine, step }) {
      if (machine !== 'shardConsumer') return
      if (startedMs === 0 && step.effects.some(({ type }) => type === 'processRecords')) startedMs = performance.now()
      if (step.event?.type !== 'recordsProcessed') return
      done += step.before?.context.batch?.count ?? 0
      if (done < shards * recordsPerShard) return
      endedMs = performance.now()
      memory = children().flatMap((pid) => (others.has(pid) ? [] : [unsharedMb(pid)]))
      void worker.stop()
    },
  })
  await worker.run()
  return {
    recordsPerSecond: done / ((endedMs - startedMs) / 1_000),
    processes: memory.length,
    childMb: memory.length === 0 ? Number.NaN : median(memory),
  }
}

function children(): readonly string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '')
}

function unsharedMb(pid: string): number {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+: +(\d+) kB$/gm)
  return [...lines].reduce((sum, [, kb]) => sum + Number(kb), 0) / 1_024
}

const measured = contestants.map((contestant) => ({ ...contestant, rounds: [] as Round[] }))
// The first round only warms the code up.
for (let round = 0; round <= rounds; round += 1) {
  // Every other round in reverse, so that nobody always has the warmer machine.
  for (const { processor, rounds: taken } of round % 2 === 0 ? measured : measured.toReversed()) {
    const one = await consume(processor)
    if (round > 0) taken.push(one)
  }
}
const middle = (taken: readonly Round[], of: (round: Round) => number): number => median(taken.map(of))
console.log(
  alignColumns([
    [`record processors, ${shards} shards, ${recordsPerBatch} records a batch, ${rounds} rounds`, 'records/s', 'processes', 'MB each'],
    ...measured.map(({ name, rounds: taken }) => [
      name,
      Math.round(middle(taken, ({ recordsPerSecond }) => recordsPerSecond)).toLocaleString('en'),
      String(middle(taken, ({ processes }) => processes)),
      taken[0]?.processes === 0 ? '-' : middle(taken, ({ childMb }) => childMb).toFixed(0),
    ]),
  ]),
)

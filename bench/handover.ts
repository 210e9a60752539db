/**
 * Measures how long a shard stands still when its worker ends: from the last record that the old worker handled to the first that the next one did. The two
 * are processes of their own, at kinesalite and dynalite in this one; records come all the time. Once the old worker is stopped in order, once it is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CreateStreamCommand, DescribeStreamCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import type { LeaseMode } from '@shardwise/machine'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startDynalite } from '../servers/dynalite.ts'
import { startKinesalite } from '../servers/kinesalite.ts'
import { type Gaps, isWithin, tableOfGaps } from './handoverTable.ts'
import { pathOf } from './runProgram.ts'

/** What a worker of the hand-over is started with. */
export interface HandoverWorker {
  readonly workerId: string
  readonly streamName: string
  readonly kinesisEndpoint: string
  readonly dynamodbEndpoint: string
  readonly leaseScanIntervalMillis: number
  readonly failoverTimeMillis: number
  readonly leaseMode: LeaseMode
  readonly shards: number
}

const streamName = 'handover'
const putEveryMs = 100
const credentials = { accessKeyId: 'handover', secretAccessKey: 'handover' }

/** A worker process, and what it has said. */
class WorkerProcess {
  readonly first = new Map<string, number>()
  readonly last = new Map<string, number>()
  reads = 0
  runningSinceMs = 0
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  #listener: () => void = () => undefined

  constructor(options: HandoverWorker) {
    this.#process = spawn(process.execPath, [...process.execArgv, pathOf('handoverLoop.ts'), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        NODE_NO_WARNINGS: '1',
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    })
    this.#ended = once(this.#process, 'close')
    const { stdout } = this.#process
    if (stdout === null) throw new Error('stdout: expected a pipe')
    createInterface({ input: stdout }).on('line', (line) => this.#hear(line))
  }

  /** Resolves when what was said so far fulfils the wish; rejects when the process ends before. */
  async until(holds: () => boolean): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#listener = () => {
        if (holds()) resolve()
      }
      this.#listener()
    })
    await Promise.race([heard, this.#ended.then(() => Promise.reject(new Error('a worker ended by itself')))])
  }

  /** Ends the process, and resolves when all that it said has been heard. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#process.kill(signal)
    await this.#ended
  }

  #hear(line: string): void {
    const [what, shardId = '', atMs] = line.split(' ')
    if (what === 'read') this.reads += 1
    if (what === 'running') this.runningSinceMs = Date.now()
    if (what === 'handled') {
      if (!this.first.has(shardId)) this.first.set(shardId, Number(atMs))
      this.last.set(shardId, Number(atMs))
    }
    this.#listener()
  }
}

const { samples, shards, scanMs, failoverMs, leaseMode } = readArguments(process.argv.slice(2))
const [stream, table] = await Promise.all([startKinesalite(), startDynalite()])
const kinesis = new KinesisClient({
  endpoint: stream.endpoint,
  region: 'us-east-1',
  credentials,
  requestHandler: new NodeHttpHandler(),
})
const running = new Set<WorkerProcess>()
let readsPerMinute = 0
try {
  await createStream()
  const producing = produce()
  console.log(
    `${shards} shards, a record for each every ${putEveryMs} ms; leaseScanIntervalMillis ${scanMs}, failoverTimeMillis ${failoverMs}, leaseMode ${leaseMode}, idleTimeInMilliseconds 200`,
  )
  const planned: Gaps = { name: 'is stopped in order', gapsMs: await measure('SIGTERM'), boundMs: 1_000 }
  const killed: Gaps = { name: 'is killed (SIGKILL)', gapsMs: await measure('SIGKILL'), boundMs: failoverMs + failoverMs / 3 + 1_000 }
  producing.stop()
  console.log(tableOfGaps([planned, killed]))
  console.log(`Each worker reads the lease table of ${shards} rows ${Math.round(readsPerMinute)} times a minute.`)
  if (![planned, killed].every(isWithin)) process.exitCode = 1
} finally {
  await Promise.all([...running].map((worker) => worker.end('SIGKILL')))
  kinesis.destroy()
  await Promise.all([stream.stop(), table.stop()])
}

/** Ends one worker after another, each time that the next one watches, and answers with the gap of each shard. */
async function measure(signal: 'SIGTERM' | 'SIGKILL'): Promise<readonly number[]> {
  const gaps: number[] = []
  let old = start(`${signal}-0`)
  await old.until(() => old.last.size === shards)
  for (let round = 1; gaps.length < samples; round += 1) {
    const next = start(`${signal}-${round}`)
    // It has seen every lease move: what it then takes, it takes by the rules of a worker that has been there.
    await next.until(() => next.reads > 2 + failoverMs / scanMs / 3)
    await pause(Math.random() * 1_000)
    const ended = old.end(signal)
    await next.until(() => next.first.size === shards)
    await ended
    running.delete(old)
    readsPerMinute = next.reads / ((Date.now() - next.runningSinceMs) / 60_000)
    for (const [shardId, firstMs] of next.first) gaps.push(firstMs - (old.last.get(shardId) ?? firstMs))
    old = next
  }
  await old.end('SIGTERM')
  running.delete(old)
  return gaps
}

function start(workerId: string): WorkerProcess {
  const options = { workerId, streamName, kinesisEndpoint: stream.endpoint, dynamodbEndpoint: table.endpoint, shards }
  const worker = new WorkerProcess({ ...options, leaseScanIntervalMillis: scanMs, failoverTimeMillis: failoverMs, leaseMode })
  running.add(worker)
  return worker
}

async function createStream(): Promise<void> {
  await kinesis.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shards }))
  for (;;) {
    const { StreamDescription: description } = await kinesis.send(new DescribeStreamCommand({ StreamName: streamName }))
    if (description?.StreamStatus === 'ACTIVE') return
    await pause(10)
  }
}

/** Puts a record into every shard, again and again, one call at a time. */
function produce(): { stop(): void } {
  let stopped = false
  const width = (1n << 128n) / BigInt(shards)
  const records = Array.from({ length: shards }, (_, n) => ({
    PartitionKey: String(n),
    ExplicitHashKey: String(width * BigInt(n) + 1n),
    Data: Buffer.from('record'),
  }))
  const put = async (): Promise<void> => {
    while (!stopped) {
      await kinesis.send(new PutRecordsCommand({ StreamName: streamName, Records: records }))
      await pause(putEveryMs)
    }
  }
  put().catch((error: unknown) => {
    if (stopped) return
    console.error(error)
    process.exit(1)
  })
  return {
    stop() {
      stopped = true
    },
  }
}

/** @throws Error that names the option, when one is unknown or out of range. */
function readArguments(args: readonly string[]) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { samples: text, shards: text, 'scan-ms': text, 'failover-ms': text, 'lease-mode': text },
  })
  return {
    samples: wholeNumber('--samples', values.samples ?? '100', 10_000),
    shards: wholeNumber('--shards', values.shards ?? '5', 100),
    scanMs: wholeNumber('--scan-ms', values['scan-ms'] ?? '250', 60_000),
    failoverMs: wholeNumber('--failover-ms', values['failover-ms'] ?? '3000', 60_000),
    leaseMode: leaseModeOf(values['lease-mode'] ?? 'kcl'),
  }
}

function leaseModeOf(given: string): LeaseMode {
  if (given !== 'kcl' && given !== 'workerHeartbeat') throw new Error(`--lease-mode: expected kcl or workerHeartbeat, got ${given}`)
  return given
}

function wholeNumber(name: string, given: string, most: number): number {
  const value = Number(given)
  if (!/^\d+$/.test(given) || value < 1 || value > most) throw new Error(`${name}: expected a whole number from 1 to ${most}, got ${given}`)
  return value
}

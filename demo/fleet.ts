import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ShardProgress } from '../src/worker/shardProgress.ts'
import type { Entry } from './ledger.ts'
import type { StopMessage, WorkerMessage, WorkerStart } from './workerMessages.ts'

/** What all workers of a fleet are started with, and what hears of them. */
export interface FleetOptions extends Omit<WorkerStart, 'workerId'> {
  readonly onDelivered: (workerId: string, entries: readonly Entry[]) => void
  readonly onLogged: (line: string) => void
}

interface Member {
  readonly workerId: string
  readonly child: ChildProcess
  phase: string
  shards: readonly ShardProgress[]
  isKilled: boolean
}

/** How long a worker may take to stop in order. */
const stopTimeoutMs = 20_000
const program = fileURLToPath(new URL('./workerProcess.ts', import.meta.url))
// The servers are local, and take any.
const credentials = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' }

/** Workers in processes of their own, which come and go. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #members: Member[] = []
  /** Resolves when the fleet has stopped; rejects when a worker ends that was neither stopped nor killed. */
  readonly ended: Promise<void>
  #end: { resolve(): void; reject(error: unknown): void } = { resolve: () => undefined, reject: () => undefined }
  #isStopping = false
  #tellProgress: () => void = () => undefined

  constructor(options: FleetOptions) {
    this.#options = options
    this.ended = new Promise((resolve, reject) => {
      this.#end = { resolve, reject }
    })
  }

  /** Starts one more worker. Answers what was done. */
  join(): string {
    const { onDelivered, onLogged, ...start } = this.#options
    const workerId = `worker-${this.#members.length + 1}`
    const child = fork(program, [JSON.stringify({ ...start, workerId } satisfies WorkerStart)], {
      execArgv: ['--import', 'tsx', '--conditions=@shardwise/source'],
      env: { ...process.env, ...credentials },
    })
    const member: Member = { workerId, child, phase: 'starting', shards: [], isKilled: false }
    this.#members.push(member)
    child.on('message', (message: WorkerMessage) => {
      if (message.type === 'delivered') onDelivered(workerId, message.entries)
      else if (message.type === 'logged') onLogged(message.line)
      else {
        member.phase = message.phase
        member.shards = message.shards
        this.#tellProgress()
      }
    })
    child.once('error', (error) => this.#end.reject(error))
    child.once('exit', (code, signal) => {
      if (this.#isStopping || member.isKilled) return
      this.#end.reject(new Error(`${workerId}: ended with ${signal ?? String(code)}`))
    })
    return `${workerId} joins`
  }

  /** Resolves when every worker runs and somebody has a shard, or the signal fires. */
  async running(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#members.every(({ phase }) => phase === 'running') && this.shards.length > 0, signal)
  }

  /** Kills the worker that has most to do, without a warning, once one has delivered orders. Answers its name; null when the signal fires before. */
  async kill(signal: AbortSignal): Promise<string | null> {
    const busy = ({ shards, isKilled }: Member): number =>
      isKilled ? 0 : shards.filter(({ outcome, delivered }) => outcome === null && delivered > 0).length
    await this.#until(() => this.#members.some((member) => busy(member) > 0), signal)
    const [victim] = this.#members.filter((member) => busy(member) > 0).sort((a, b) => busy(b) - busy(a))
    if (victim === undefined) return null
    victim.isKilled = true
    victim.child.kill('SIGKILL')
    return victim.workerId
  }

  async #until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    while (!holds() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          signal.removeEventListener('abort', go)
          resolve()
        }
        this.#tellProgress = go
        signal.addEventListener('abort', go, { once: true })
      })
    }
  }

  /** Stops every worker in order; what does not end in time is killed, and fails the fleet. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#members.map(stopMember))
    const broken = this.#members.filter(({ child, isKilled }) => !isKilled && child.exitCode !== 0)
    if (broken.length === 0) this.#end.resolve()
    else this.#end.reject(new Error(`${broken.map(({ workerId }) => workerId).join(', ')}: did not stop in order`))
  }

  /** How many workers are at work. */
  get size(): number {
    return this.#members.filter(({ isKilled }) => !isKilled).length
  }

  /** What each shard's owner does; of a shard that nobody has, what the last one did. */
  get shards(): readonly ShardProgress[] {
    const byShard = new Map<string, ShardProgress & { readonly rank: number }>()
    for (const { workerId, shards, isKilled } of this.#members) {
      for (const shard of shards) {
        const known = byShard.get(shard.shardId)
        const delivered = shard.delivered + (known?.delivered ?? 0)
        const rank = rankOf(shard, isKilled)
        const isCurrent = known === undefined || rank > known.rank
        const owner = isKilled ? `${workerId}, killed` : workerId
        byShard.set(shard.shardId, isCurrent ? { ...shard, rank, delivered, owner } : { ...known, delivered })
      }
    }
    return [...byShard.values()].sort((a, b) => (a.shardId < b.shardId ? -1 : 1))
  }
}

/** Whose word of a shard counts: of one that consumes it, then of one that finished it, of one that had it, and last of one that is dead. */
function rankOf({ outcome }: ShardProgress, isKilled: boolean): number {
  if (isKilled) return 0
  if (outcome === null) return 3
  return outcome === 'finished' ? 2 : 1
}

async function stopMember({ child }: Member): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  const deadline = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  if (child.connected) child.send({ type: 'stop' } satisfies StopMessage)
  await exited
  clearTimeout(deadline)
}

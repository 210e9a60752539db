import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type BatchHandle,
  createBatchStore,
  type EffectOf,
  type ErrorFacts,
  type ExtendedSequenceNumber,
  type HandlerContext,
  type KinesisRecord,
} from '@shardwise/effects'
import { type ChildCheckpointRequested, type ChildProcessorOptions, childProcessors } from '@shardwise/multilang'

export const shardId = 'shardId-000000000000'

const fixture = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** The command of a processor that notes what it is told in a file. */
export const awsKcl = (version: 1 | 2, ledger: string): readonly string[] => [
  process.execPath,
  fixture(`awsKclVersion${version}.cjs`),
  ledger,
]
/** The same for Python, which must not leave its bytecode in the tree. */
export function python(version: 1 | 2 | 3, ledger: string): readonly string[] {
  try {
    execFileSync('python3', ['--version'])
  } catch (cause) {
    throw new Error('python3: expected it on PATH, for the record processors in Python; install it', { cause })
  }
  return ['python3', '-B', fixture(`python/version${version}.py`), ledger]
}
/** The command of a child that answers each line with the next of these pieces of JavaScript, and every further one with the last. */
export const scripted = (...script: readonly string[]): readonly string[] => [process.execPath, fixture('scripted.cjs'), ...script]
/** What a well-behaved child does at any action. */
export const answer = 'done(message.action)'

/** A line that a processor noted. */
export interface Note {
  readonly shardId?: string
  readonly pid?: number
  readonly told?: string
  readonly at?: string
  readonly text?: string
  readonly partitionKey?: string
  readonly sequenceNumber?: string
  readonly subSequenceNumber?: number
  readonly checkpointed?: string | null
  readonly error?: string | null
  readonly refused?: string
  readonly input?: object
}

/** A file for notes, in a folder of its own. */
export interface Ledger {
  readonly file: string
  notes(): readonly Note[]
  remove(): void
}

/** An empty ledger. */
export function aLedger(): Ledger {
  const folder = mkdtempSync(join(tmpdir(), 'shardwise-multilang-'))
  const file = join(folder, 'ledger.jsonl')
  return {
    file,
    notes: () =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as Note)
        : [],
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** What was told, in order. */
export const toldIn = (notes: readonly Note[]): readonly string[] => notes.flatMap(({ told }) => (told === undefined ? [] : [told]))
/** The texts of the records, in the order of their delivery. */
export const textsIn = (notes: readonly Note[]): readonly string[] => notes.flatMap(({ text }) => (text === undefined ? [] : [text]))

/** Whether a process still runs. A zombie does not: it has ended. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

export function aRecord(sequenceNumber: string, data: string | Uint8Array = 'payload', more: Partial<KinesisRecord> = {}): KinesisRecord {
  return {
    sequenceNumber,
    subSequenceNumber: 0,
    partitionKey: 'key',
    data: typeof data === 'string' ? Buffer.from(data) : data,
    approximateArrivalTimestamp: new Date(1_700_000_000_123),
    ...more,
  }
}

const context = { signal: new AbortController().signal, onAbort: () => undefined } satisfies HandlerContext

const placeOf = ({ sequenceNumber, subSequenceNumber }: KinesisRecord): ExtendedSequenceNumber => ({ sequenceNumber, subSequenceNumber })

/** How a checkpoint ends; undefined lets it wait. */
type Settle = (request: ChildCheckpointRequested) => ErrorFacts | null | undefined

/** A child that is hosted, with its side of the effect table as functions, and what it asked for. */
export function hostChild(
  command: readonly string[],
  {
    settle = () => null,
    limitsDeliveries,
    ...options
  }: Partial<Omit<ChildProcessorOptions, 'command'>> & { readonly settle?: Settle; readonly limitsDeliveries?: boolean } = {},
) {
  const warnings: string[] = []
  const requests: ChildCheckpointRequested[] = []
  const waiting: (() => void)[] = []
  const batches = createBatchStore()
  const tell = (): void => {
    for (const look of waiting.splice(0)) look()
  }
  const warn = (message: string): void => {
    warnings.push(message)
    tell()
  }
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const processor = childProcessors({ command, logger: { warn }, ...options })(shardId)
  const settleLater = (request: string, error: ErrorFacts | null): void =>
    handlers.settleCheckpoint({ type: 'settleCheckpoint', shardId, request, error })
  const { handlers, close } = processor.host({
    shardId,
    batches,
    limitsDeliveries,
    send(event) {
      requests.push(event)
      const error = settle(event)
      if (error !== undefined) queueMicrotask(() => settleLater(event.request, error))
      tell()
    },
  })
  let id = 0
  const nextId = (): number => {
    id += 1
    return id
  }
  const initialize: EffectOf<'initialize'> = {
    type: 'initialize',
    id: 1,
    shardId,
    leaseKey: shardId,
    token: 3,
    checkpoint: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 },
    pendingCheckpoint: null,
  }
  return {
    handlers,
    close,
    warnings,
    requests,
    batches,
    settle: settleLater,
    initialize: (checkpoint = initialize.checkpoint) => handlers.initialize({ ...initialize, id: nextId(), checkpoint }, context),
    processRecords(
      records: readonly KinesisRecord[],
      {
        after = null,
        signal = context.signal,
        ...about
      }: Partial<BatchHandle> & Partial<Pick<EffectOf<'processRecords'>, 'after'>> & { readonly signal?: AbortSignal } = {},
    ) {
      const last = records.at(-1)
      const facts = {
        count: records.length,
        first: null,
        last: last === undefined ? null : placeOf(last),
        bytes: 0,
        millisBehindLatest: 42,
        atShardEnd: false,
        childShards: [],
      }
      const batch = batches.put({ shardId, records, handle: { ...facts, ...about } })
      return handlers.processRecords({ type: 'processRecords', id: nextId(), shardId, batch, after, attempt: 0 }, { ...context, signal })
    },
    shutdownRequested: () => handlers.notifyShutdownRequested({ type: 'notifyShutdownRequested', id: nextId(), shardId }, context),
    leaseLost: () => handlers.notifyLeaseLost({ type: 'notifyLeaseLost', id: nextId(), shardId, attempt: 0 }, context),
    shardEnded: () => handlers.notifyShardEnded({ type: 'notifyShardEnded', id: nextId(), shardId, attempt: 0 }, context),
    /** Resolves when the child has asked for so many checkpoints. */
    requested: (count: number) => until(() => requests.length >= count),
    /** Resolves when a warning with this text was given. */
    warned: (text: string) => until(() => warnings.some((warning) => warning.includes(text))),
  }
}

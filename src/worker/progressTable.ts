import type { ExtendedSequenceNumber } from '@shardwise/effects'
import type { ConsumerState } from '@shardwise/machine'
import pc from 'picocolors'
import type { ShardProgress } from './shardProgress.ts'

const heads = ['SHARD', 'STATE', 'BEHIND', 'DELIVERED', 'CHECKPOINT', 'OWNER'] as const
const alignedRight = new Set<string>(['BEHIND', 'DELIVERED'])

const colours: Readonly<Record<ConsumerState, (text: string) => string>> = {
  WAITING_ON_PARENT_SHARDS: pc.yellow,
  INITIALIZING: pc.cyan,
  PROCESSING: pc.green,
  SHUTDOWN_REQUESTED: pc.magenta,
  SHUTTING_DOWN: pc.magenta,
  SHUTDOWN_COMPLETE: pc.dim,
}

/** One line per shard under a head, within `columns` and `rows`. Where there is no room for all, those that have ended go first. */
export function progressTable(
  shards: readonly ShardProgress[],
  { columns, rows, coloured }: { readonly columns: number; readonly rows: number; readonly coloured: boolean },
): readonly string[] {
  if (shards.length === 0) return []
  const shown = fitting(shards, Math.max(1, rows - 2))
  const columnsShown = shards.some(({ owner }) => owner !== undefined) ? heads : heads.slice(0, -1)
  const table = [columnsShown, ...shown.map(cellsOf)].map((cells) => cells.slice(0, columnsShown.length))
  const widths = columnsShown.map((_, column) => Math.max(...table.map((cells) => (cells[column] ?? '').length)))
  const lines = table.map((cells) =>
    cells
      .map((cell, column) =>
        alignedRight.has(heads[column] ?? '') ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
      .slice(0, columns),
  )
  const left = shards.length - shown.length
  const painted = lines.map((line, index) => (coloured ? paint(line, shown[index - 1]?.state) : line))
  return left === 0 ? painted : [...painted, `and ${left} more`]
}

/** One shard in words: for logs, where no table can be kept. */
export function progressLine(shard: ShardProgress): string {
  const [shardId, state, behind, delivered, checkpoint] = cellsOf(shard)
  const by = shard.owner === undefined ? '' : `, ${shard.owner}`
  return `${shardId} ${state}, ${behind} behind, ${delivered} delivered, checkpoint ${checkpoint}${by}`
}

/** A checkpoint for people: sentinels whole, of numbers the end, where they differ. */
export function checkpointInWords(checkpoint: ExtendedSequenceNumber | null): string {
  if (checkpoint === null) return '-'
  const { sequenceNumber, subSequenceNumber } = checkpoint
  const end = sequenceNumber.length > 16 && /^\d+$/.test(sequenceNumber) ? `…${sequenceNumber.slice(-12)}` : sequenceNumber
  return subSequenceNumber === 0 ? end : `${end}/${subSequenceNumber}`
}

function cellsOf({ shardId, state, millisBehindLatest, delivered, checkpoint, owner = '-' }: ShardProgress): readonly string[] {
  return [shardId, state, durationInWords(millisBehindLatest), String(delivered), checkpointInWords(checkpoint), owner]
}

function durationInWords(ms: number | null): string {
  if (ms === null) return '-'
  if (ms < 1_000) return `${ms} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`
}

function fitting(shards: readonly ShardProgress[], rows: number): readonly ShardProgress[] {
  if (shards.length <= rows) return shards
  const ended = shards.filter(({ outcome }) => outcome !== null)
  const dropped = new Set(ended.slice(0, shards.length - rows))
  return shards.filter((shard) => !dropped.has(shard)).slice(0, rows)
}

function paint(line: string, state: ConsumerState | undefined): string {
  if (state === undefined) return pc.bold(line)
  return state === 'SHUTDOWN_COMPLETE' ? pc.dim(line) : line.replace(state, colours[state](state))
}

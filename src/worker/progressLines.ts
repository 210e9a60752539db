import type { View } from './liveView.ts'
import { progressLine } from './progressTable.ts'
import type { ShardProgress, ShownProgress } from './shardProgress.ts'

/** Progress as lines, for output that is not a terminal. */
export interface ProgressLines extends View {
  /** Writes the line of a shard now, unless it is the one written last. */
  tell(shard: ShardProgress): void
}

/** Writes a line for each shard that changed since its last line, every `everyMs`, and once more when it is closed. */
export function writeProgress(progress: ShownProgress, everyMs: number, write: (line: string) => void): ProgressLines {
  const written = new Map<string, string>()
  const tell = (shard: ShardProgress): void => {
    const line = progressLine(shard)
    if (written.get(shard.shardId) === line) return
    written.set(shard.shardId, line)
    write(line)
  }
  const tellAll = (): void => {
    for (const shard of progress.shards) tell(shard)
  }
  const timer = setInterval(tellAll, everyMs)
  return {
    tell,
    close() {
      clearInterval(timer)
      tellAll()
    },
  }
}

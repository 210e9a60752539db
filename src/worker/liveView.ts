import { ANSI_ESCAPE_CODES, ProcessOutputStream, Spinner } from 'listr2'
import { progressTable } from './progressTable.ts'
import type { ShownProgress } from './shardProgress.ts'

/** The streams of a terminal. */
interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** Something that is drawn until it is closed; the last picture stays. */
export interface View {
  close(): void
}

const frameMs = 100

/**
 * Draws the progress of a worker at the foot of a terminal, ten times a second. What the program or its record processors write meanwhile scrolls by above.
 * `title` is the line over the shards.
 */
export function showLive(progress: ShownProgress, title: () => string, terminal: Terminal = process): View {
  const { stdout } = terminal
  const streams = [stdout, ...(terminal.stderr.isTTY ? [terminal.stderr] : [])].map((stream) => new ProcessOutputStream(stream))
  const [screen] = streams
  if (screen === undefined) throw new Error('stdout: expected a terminal')
  const spinner = new Spinner()
  let drawn = 0
  let partial = ''

  /** What others wrote since the last frame, up to its last end of line. */
  const takeWritten = (whole: boolean): string => {
    const entries = streams.flatMap((stream) => stream.release()).sort((a, b) => a.time - b.time)
    const text = partial + entries.map(({ entry }) => entry).join('')
    const end = whole ? text.length : text.lastIndexOf('\n') + 1
    partial = text.slice(end)
    return text.slice(0, end)
  }
  const draw = (icon: string, last = false): void => {
    const written = takeWritten(last)
    // Some terminals do not know their size, and say 0.
    const [columns, rows] = [stdout.columns || 80, stdout.rows || 24]
    const head = `${icon} ${title()}`.slice(0, columns)
    const lines = [
      head,
      ...progressTable(progress.shards, { columns: columns - 2, rows: rows - 2, coloured: true }).map((line) => `  ${line}`),
    ]
    const newline = written === '' || written.endsWith('\n') ? '' : '\n'
    screen.write(`${eraseLines(drawn)}${written}${newline}${lines.join('\n')}\n`)
    drawn = lines.length
    if (!last) for (const stream of streams) stream.hijack()
  }
  const close = (): void => {
    process.off('exit', close)
    spinner.stop()
    draw('■', true)
    screen.write(ANSI_ESCAPE_CODES.CURSOR_SHOW)
  }
  // However the process ends, the cursor and what was written last must be seen.
  process.once('exit', close)
  screen.write(ANSI_ESCAPE_CODES.CURSOR_HIDE)
  draw(spinner.fetch())
  spinner.start(() => draw(spinner.fetch()), frameMs)
  return { close }
}

function eraseLines(count: number): string {
  return count === 0 ? '' : `\u001b[${count}A\r\u001b[0J`
}

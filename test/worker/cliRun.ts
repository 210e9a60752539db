import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { program } from './program.ts'

/** What the recorder prints. */
export interface Line {
  readonly shardId?: string
  readonly sequenceNumber?: string
  readonly order?: string
  readonly held?: string
  readonly initialized?: string
}

/** How a process ended. */
interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of the command line. */
export interface CliRun {
  readonly lines: readonly Line[]
  /** Resolves when the lines are as asked; rejects when the process ends before. */
  until(holds: (lines: readonly Line[]) => boolean): Promise<void>
  /** The same for what was logged. */
  untilLogged(text: string): Promise<void>
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const cli = await program(fileURLToPath(new URL('cliProcess.ts', import.meta.url)))
export const recorder = await program(fileURLToPath(new URL('cliRecorder.ts', import.meta.url)))

/** Credentials and a region that suit local servers; nothing of the machine's own AWS configuration is read. */
export const localAws: Readonly<Record<string, string>> = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
}

const noAws = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }
const running = new Set<ChildProcess>()

/** Ends what a failing test left running. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Starts the command line, with `env` in place of this process's own AWS variables. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = localAws): CliRun {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...noAws, ...env },
  })
  running.add(child)
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  let [stdout, stderr, parsed] = ['', '', 0]
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    for (let end = stdout.indexOf('\n', parsed); end >= 0; end = stdout.indexOf('\n', parsed)) {
      const line = stdout.slice(parsed, end)
      if (line.startsWith('{')) lines.push(JSON.parse(line) as Line)
      parsed = end + 1
    }
    for (const look of waiting) look()
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
    for (const look of waiting) look()
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      running.delete(child)
      resolve({ code, stdout, stderr })
    })
  })
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!holds()) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
      void ended.then(({ code }) => reject(new Error(`the process ended with ${code} before: ${stderr}`)))
    })
  return {
    lines,
    until: (holds) => until(() => holds(lines)),
    untilLogged: (text) => until(() => stderr.includes(text)),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

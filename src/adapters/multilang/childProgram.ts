import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { BoundedLines } from './boundedLines.ts'

/** How long a child may take to end: after its stdin is closed, and after SIGTERM. Milliseconds. */
export interface EndDeadlines {
  readonly exitTimeoutMs: number
  readonly killTimeoutMs: number
}

/** What a child program tells. */
export interface ChildListeners {
  onLine(line: string, cut: boolean): void
  onErrorLine(line: string, cut: boolean): void
  /** Nothing more will be read from its stdout, or it could not be started. */
  onSilent(reason: string): void
}

/** No message is longer than a few hundred bytes: what a child prints beyond this much in one line is not kept. */
const mostLineBytes = 64 * 1024
/** How long pipes may stay open after their process has ended, because a process of its own holds them. */
const drainMs = 1_000

const alive = new Set<ChildProcessWithoutNullStreams>()

/** A child process of a group of its own, so that Ctrl-C in a terminal does not reach it, and processes that it starts can be ended with it. */
export class ChildProgram {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #deadlines: EndDeadlines
  readonly #closed: Promise<string>
  #ending: Promise<string> | undefined

  /** Starts it: no shell, the directory and the environment of this process. */
  constructor([program = '', ...args]: readonly string[], deadlines: EndDeadlines, listeners: ChildListeners) {
    this.#deadlines = deadlines
    const child = spawn(program, args, { stdio: 'pipe', detached: true })
    this.#child = child
    keepUntilExit(child)
    let failure: string | undefined
    child.once('error', ({ message }) => {
      failure = message
      listeners.onSilent(message)
    })
    // Every write hears of its failure itself.
    child.stdin.on('error', () => undefined)
    const lines = new BoundedLines(mostLineBytes, listeners.onLine)
    const errorLines = new BoundedLines(mostLineBytes, listeners.onErrorLine)
    child.stdout.on('data', (bytes: Uint8Array) => lines.push(bytes))
    child.stdout.once('close', () => {
      lines.end()
      listeners.onSilent('it closed its stdout, or ended')
    })
    child.stderr.on('data', (bytes: Uint8Array) => errorLines.push(bytes))
    child.stderr.once('close', () => errorLines.end())
    child.once('exit', () => {
      const drained = setTimeout(() => this.#abandon(), drainMs)
      child.once('close', () => clearTimeout(drained))
    })
    this.#closed = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        alive.delete(child)
        resolve(failure ?? (signal === null ? `exit code ${code}` : `ended by ${signal}`))
      })
    })
  }

  /** Writes a line of ASCII; rejects when the child does not take it. */
  write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.stdin.write(line, 'latin1', (error) => (error ? reject(error) : resolve()))
    })
  }

  /**
   * Ends it: closes its stdin, at which the libraries of the KCL end themselves, then SIGTERM, then SIGKILL, each after its deadline; `atOnce` begins with SIGTERM. Says
   * how it ended. Never rejects; asking again changes nothing.
   */
  end({ atOnce = false } = {}): Promise<string> {
    this.#ending ??= this.#end(atOnce)
    return this.#ending
  }

  async #end(atOnce: boolean): Promise<string> {
    const { exitTimeoutMs, killTimeoutMs } = this.#deadlines
    this.#child.stdin.end()
    if (!atOnce && (await within(exitTimeoutMs, this.#closed))) return this.#closed
    signalGroup(this.#child, 'SIGTERM')
    if (await within(killTimeoutMs, this.#closed)) return this.#closed
    this.#abandon()
    return (await within(drainMs, this.#closed)) ? this.#closed : 'it could not be ended'
  }

  /** SIGKILL, and lets go of pipes that some other process holds open. */
  #abandon(): void {
    signalGroup(this.#child, 'SIGKILL')
    this.#child.stdin.destroy()
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
  }
}

async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const inTime = await Promise.race([promise.then(() => true), late])
  clearTimeout(timer)
  return inTime
}

function signalGroup({ pid }: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // The group has ended already, or became another user's: then only the end of its pipes is left to reach it.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** However this process ends in order, its children do not outlive it. */
function keepUntilExit(child: ChildProcessWithoutNullStreams): void {
  if (!process.listeners('exit').includes(killAlive)) process.once('exit', killAlive)
  alive.add(child)
}

function killAlive(): void {
  for (const child of alive) signalGroup(child, 'SIGKILL')
}

import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { childProcessors } from '@shardwise/multilang'
import type { MultilangCommandLine } from './commandLineOptions.ts'
import { consume } from './consume.ts'
import { lineLogger } from './lineLogger.ts'
import type { Logger } from './logger.ts'
import { type MultilangSettings, propertyOf, readMultilangProperties } from './multilangProperties.ts'
import { Worker } from './worker.ts'
import type { WorkerOptions } from './workerOptions.ts'

/**
 * Consumes as a properties file of the MultiLangDaemon says, with a child process for each shard, until SIGINT or SIGTERM.
 * @throws what is wrong with the file, and what made the worker fail.
 */
export async function consumeMultilang(said: MultilangCommandLine): Promise<void> {
  const { propertiesFile, logConfiguration, logLevel, live } = said
  const isLive = live && process.stdout.isTTY
  const logger = lineLogger(logLevel ?? (isLive ? 'warn' : 'info'), (line) => void process.stderr.write(line))
  const { settings, processor } = read(propertiesFile, logger)
  const { shutdownGraceMs, options, warnings } = settings
  if (logConfiguration !== undefined)
    logger.warn(`--log-configuration: ${logConfiguration} is not read; --log-level says where the log begins`)
  for (const warning of warnings) logger.warn(`${propertiesFile}: ${warning}`)
  const stopListening = shutdownGraceMs === undefined ? () => undefined : onceStopped(() => hurry(shutdownGraceMs))
  try {
    await consume({ options, logLevel, live }, processor)
  } finally {
    stopListening()
  }
}

/** What the file says, checked: the processors are made, and a worker that is not run. @throws Error naming the file, and the key. */
function read(file: string, logger: Logger): { settings: MultilangSettings; processor: WorkerOptions['processor'] } {
  const text = textOf(file)
  try {
    const settings = readMultilangProperties(text)
    const { command, timeoutMs, options } = settings
    const processor = childProcessors({ command, timeoutMs, logger })
    new Worker({ ...options, processor })
    requireProgram(command[0] ?? '')
    return { settings, processor }
  } catch (cause) {
    const message = (cause as Error).message.replace(/^\w+(?=: )/, (option) => propertyOf(option) ?? option)
    throw new Error(`${file}: ${message}`, { cause })
  }
}

function textOf(file: string): string {
  try {
    // Properties files are Latin-1, with escapes for all else.
    return readFileSync(file, 'latin1')
  } catch (cause) {
    throw new Error(`--properties-file: ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** @throws Error when there is no such program, where the system looks for one: on PATH, or at the path with a slash in it. */
function requireProgram(program: string): void {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  const isProgram = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK)
      return statSync(path).isFile()
    } catch {
      return false
    }
  }
  if (folders.some((folder) => isProgram(join(folder, program)))) return
  const where = program.includes('/') ? 'an executable file' : 'an executable file on PATH'
  throw new Error(`executableName: expected ${where}, found no ${program}`)
}

/** Calls back at the first SIGINT or SIGTERM. Returns what ends the listening, and what the callback began. */
function onceStopped(stopped: () => () => void): () => void {
  let end = (): void => undefined
  const hear = (): void => {
    forget()
    end = stopped()
  }
  const forget = (): void => {
    process.off('SIGINT', hear)
    process.off('SIGTERM', hear)
  }
  process.on('SIGINT', hear)
  process.on('SIGTERM', hear)
  return () => {
    forget()
    end()
  }
}

/** Asks a second time, as a user would, when the stop has taken too long. Returns what calls that off. */
function hurry(afterMs: number): () => void {
  const timer = setTimeout(() => process.kill(process.pid, 'SIGTERM'), afterMs)
  return () => clearTimeout(timer)
}

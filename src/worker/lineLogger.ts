import type { LogLevel } from './commandLineOptions.ts'
import { inOneLine } from './inOneLine.ts'
import type { Logger } from './logger.ts'

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** Writes lines of time, level and message, each message in one line, from a level on. */
export function lineLogger(from: LogLevel, write: (line: string) => void): Logger {
  const at = (level: Exclude<LogLevel, 'silent'>) => (message: string) => {
    if (levels.indexOf(level) >= levels.indexOf(from)) write(`${new Date().toISOString()} ${level} ${inOneLine(message)}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

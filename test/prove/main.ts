import { runCommandLine } from './commandLine.ts'
import { engines } from './engines.ts'

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

process.exitCode = runCommandLine(process.argv.slice(2), engines, say, () => Date.now() % 1_000_000_000)

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** What a program prints. @throws Error with the command and all that it printed, when it does not end with 0. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { cwd, maxBuffer: 256 * 1024 * 1024 })
    return stdout
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string }
    throw new Error(`${[program, ...args].join(' ')} in ${cwd}:\n${stdout}${stderr}`, { cause })
  }
}

/** Installs into a folder, without a word. */
export async function install(folder: string, ...what: readonly string[]): Promise<void> {
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...what], folder)
}

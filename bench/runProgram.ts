import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Runs a program of this folder and returns what it prints. Each measurement has a process of its own: no contestant warms up or litters the heap for the next. */
export async function runProgram(program: string, args: readonly string[], nodeOptions: readonly string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, ...nodeOptions, pathOf(program), ...args], {
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  return stdout.trim()
}

/** The path of a file, as seen from this folder. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

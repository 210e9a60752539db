import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** A JavaScript runtime that can execute a bundle. */
export interface Runtime {
  readonly name: string
  /** The names of its world that no program can hide. */
  readonly visible: readonly string[]
  version(): Promise<string>
  /** Runs a bundle and gives back its report. Rejects when the bundle throws, and when it takes longer than `longestMs`. */
  run(bundlePath: string): Promise<string>
}

/** How long a bundle may run. */
export const longestMs = 120_000

/** A file of an installed package, by its path inside node_modules. */
export const installed = (path: string): string => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url))

/** The version of an installed package. */
export async function installedVersion(name: string): Promise<string> {
  return (JSON.parse(await readFile(installed(`${name}/package.json`), 'utf8')) as { readonly version: string }).version
}

/** Loads an installed package. What it exports is known to the caller: the packages of the runtimes need not be there for the types to be checked. */
export async function loadInstalled<T>(name: string): Promise<T> {
  return (await import(name)) as T
}

/** Writes the bundle once more as a module for one runtime, with the lines that hand over its report. */
export async function asModule(bundlePath: string, runtime: string, handOver: string): Promise<string> {
  const path = `${bundlePath}.${runtime}.mjs`
  await writeFile(path, `${await readFile(bundlePath, 'utf8')}\n${handOver}\n`)
  return path
}

/** Runs a program with an environment of nothing but a home, and gives back what it printed. Rejects with what it said when it fails. */
export async function printed(program: string, args: readonly string[], home: string = dirname(program)): Promise<string> {
  const env = { HOME: home, DENO_DIR: home, DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' }
  const { stdout } = await promisify(execFile)(program, [...args], { env, cwd: home, timeout: longestMs, maxBuffer: 64 * 1024 * 1024 })
  return stdout.replace(/\n$/, '')
}

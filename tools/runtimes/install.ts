import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { installedVersion } from './runtime.ts'

/** The runtimes that the manifest beside this file names, by the names they are installed under, with their versions. */
export async function manifestVersions(): Promise<ReadonlyMap<string, string>> {
  const manifest = await readFile(new URL('package.json', import.meta.url), 'utf8')
  const { dependencies } = JSON.parse(manifest) as { readonly dependencies: Readonly<Record<string, string>> }
  return new Map(Object.entries(dependencies).map(([name, wanted]) => [name, wanted.slice(wanted.lastIndexOf('@') + 1)]))
}

/** Installs the runtimes from their lockfile, unless all are there in the wanted versions. @throws Error on a machine that they are not built for. */
export async function installRuntimes(): Promise<void> {
  const machine = `${process.platform}-${process.arch}`
  if (machine !== 'linux-x64') throw new Error(`runtimes: their binaries are those of linux-x64, this is ${machine}`)
  if (await isInstalled()) return
  console.log('installing the runtimes (1.1 GB) …')
  const npm = spawn('npm', ['ci', '--loglevel=error'], { cwd: import.meta.dirname, stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = (await once(npm, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`runtimes: npm ci in tools/runtimes ended with ${String(code)}`)
}

async function isInstalled(): Promise<boolean> {
  const wanted = [...(await manifestVersions())]
  const found = await Promise.all(wanted.map(([name]) => installedVersion(name).catch(() => null)))
  return wanted.every(([, version], index) => found[index] === version)
}

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { install, run } from './run.ts'
import type { Tarball } from './tarballs.ts'

/** An empty folder with tarballs installed. @throws Error when a package in it wants to run a script at its installation. */
export async function installed(folder: string, files: readonly string[]): Promise<string> {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{"name":"consumer","version":"1.0.0","private":true,"type":"module"}')
  await install(folder, ...files)
  const lock = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean; readonly resolved?: string }>>
  }
  for (const [path, { hasInstallScript, resolved }] of Object.entries(lock.packages)) {
    if (hasInstallScript === true) throw new Error(`${path}: it runs a script when it is installed`)
    // A package of the same name in a registry would be another one.
    const isOurs = /node_modules\/(@shardwise\/|shardwise$)/.test(path)
    if (isOurs && resolved?.startsWith('file:') !== true) throw new Error(`${path}: expected it from its tarball, got ${resolved}`)
  }
  return folder
}

/** Imports and requires every entry of a package, each in a process of its own. @throws Error when one fails, or both do not give the same names. */
export async function load(folder: string, { entries }: Tarball): Promise<void> {
  for (const entry of entries) {
    const [name, print] = [JSON.stringify(entry), 'console.log(Object.keys(loaded).sort().join())']
    const imported = await run(process.execPath, ['--input-type=module', '-e', `const loaded = await import(${name}); ${print}`], folder)
    const required = await run(process.execPath, ['--input-type=commonjs', '-e', `const loaded = require(${name}); ${print}`], folder)
    if (imported.trim() === '' || imported !== required) throw new Error(`${entry}: imported ${imported}, required ${required}`)
  }
}

/** Runs the command line of a global installation. @throws Error unless it says its version and its options. */
export async function runCommandLine(prefix: string, files: readonly string[], version: string): Promise<void> {
  await mkdir(prefix)
  await install(prefix, '--global', '--prefix', prefix, ...files)
  const program = join(prefix, 'bin/shardwise')
  const said = await run(program, ['--version'], prefix)
  if (said.trim() !== version) throw new Error(`shardwise --version: expected ${version}, got ${said}`)
  for (const command of ['consume', 'multilang']) {
    const help = await run(program, [command, '--help'], prefix)
    if (!help.includes(`Usage: shardwise ${command}`)) throw new Error(`shardwise ${command} --help: got ${help}`)
  }
}

/** The bill of materials of what is installed, as CycloneDX. @throws Error when it does not name all the tarballs. */
export async function billOfMaterials(folder: string, tarballs: readonly Tarball[]): Promise<number> {
  const { components } = JSON.parse(await run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--loglevel=error'], folder)) as {
    readonly components: readonly { readonly group?: string; readonly name: string }[]
  }
  const named = new Set(components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`)))
  const missing = tarballs.filter(({ name }) => !named.has(name))
  if (missing.length > 0) throw new Error(`npm sbom: expected ${missing.map(({ name }) => name).join(', ')} in it`)
  return components.length
}

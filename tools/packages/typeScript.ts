import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { install, run } from './run.ts'
import type { Tarball } from './tarballs.ts'

/** The last version of each minor line that the declarations are for. */
const versions = ['5.0.4', '5.1.6', '5.2.2', '5.3.3', '5.4.5', '5.5.4', '5.6.3', '5.7.3', '5.8.3', '5.9.3', '6.0.3', '7.0.2'] as const

const options = { strict: true, noEmit: true, target: 'es2022', lib: ['es2022'], types: ['node'] }

/** How users resolve modules. In the first way all declarations are checked, those of dependencies too; in the second, which not all of these bear, exact options. */
const ways = {
  nodenext: { ...options, module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: false },
  bundler: { ...options, module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true, exactOptionalPropertyTypes: true },
}

/** Installs every version of the compiler beside each other; answers with their programs. */
export async function installCompilers(folder: string): Promise<ReadonlyMap<string, string>> {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await install(folder, ...versions.map((version) => `typescript-${version}@npm:typescript@${version}`))
  return new Map(versions.map((version) => [version, join(folder, `node_modules/typescript-${version}/bin/tsc`)]))
}

/** Writes a program that uses every entry, and compiles it in every way. @throws Error with what the compiler says. */
export async function compileConsumer(folder: string, tarballs: readonly Tarball[], compiler: string): Promise<void> {
  const entries = tarballs.flatMap((tarball) => tarball.entries)
  await copyFile(join(import.meta.dirname, 'consumer.ts'), join(folder, 'consumer.ts'))
  const everything = entries.map((entry, index) => `export * as entry${index} from '${entry}'\n`)
  await writeFile(join(folder, 'everything.ts'), everything.join(''))
  for (const [way, compilerOptions] of Object.entries(ways)) {
    const project = join(folder, `tsconfig.${way}.json`)
    await writeFile(project, JSON.stringify({ compilerOptions, files: ['consumer.ts', 'everything.ts'] }))
    await run(process.execPath, [compiler, '-p', project], folder)
  }
}

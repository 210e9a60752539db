import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'
import { type EngineEntry, engineFunctions } from './engines.ts'
import type { StoryEvents } from './report.ts'

const options = {
  bundle: true,
  minify: true,
  write: false,
  target: 'es2023',
  conditions: ['@shardwise/source'],
  metafile: true,
  logLevel: 'silent',
} as const satisfies BuildOptions

/**
 * Bundles an engine with the stories into one minified script for any runtime. Run, it leaves its text in a global: `bundle.report`. The bundle of
 * the kind `report` plays the stories in a world without clock, dice and network; that of the kind `pace` measures how long a step takes.
 */
export async function bundleOf(engine: EngineEntry, kind: 'report' | 'pace', stories: readonly StoryEvents[]): Promise<string> {
  const names = engineFunctions.join(', ')
  const program = {
    report: ['const report = `visible: ${world.visible.join(" ")}\\n` + reportOf(engine, stories)'],
    pace: ['import { now } from "./clock.ts"', 'import { paceOf } from "./pace.ts"', 'const report = String(paceOf(engine, stories, now))'],
  }[kind]
  return scriptOf(
    [
      kind === 'pace' ? 'import "./clock.ts"' : '',
      'import { world } from "./withheld.ts"',
      `import { ${names} } from ${JSON.stringify(engine.module)}`,
      'import { reportOf } from "./report.ts"',
      `const stories = ${JSON.stringify(stories)}`,
      `const engine = { ${names} }`,
      ...program,
      'world.putBack()',
      'globalThis.bundle = { report }',
    ].join('\n'),
    'iife',
  )
}

/** The bytes of an engine's functions in a bundle of their own. */
export interface BundleSize {
  readonly minified: number
  readonly gzipped: number
}

/** What an engine adds to a program: all its functions with all that they need, minified, and gzipped after that. */
export async function sizeOf({ module }: EngineEntry): Promise<BundleSize> {
  const script = await scriptOf(`export { ${engineFunctions.join(', ')} } from ${JSON.stringify(module)}`, 'esm')
  return { minified: Buffer.byteLength(script), gzipped: gzipSync(script, { level: 9 }).length }
}

/** @throws Error when the program would import something where it runs: then it is not whole. */
async function scriptOf(program: string, format: 'iife' | 'esm'): Promise<string> {
  const built = await build({ ...options, format, stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' } })
  const imports = Object.values(built.metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
  const [file] = built.outputFiles
  if (file === undefined || imports.length > 0)
    throw new Error(`bundle: expected one file without imports, got imports of ${imports.join(', ')}`)
  return file.text
}

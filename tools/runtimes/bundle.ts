import { type BuildOptions, build } from 'esbuild'
import { type ModuleSize, moduleSize } from '../moduleSize.ts'
import { type EngineEntry, engineFunctions } from './engines.ts'
import type { PaceLengths } from './pace.ts'
import type { StoryEvents } from './report.ts'

const options = {
  bundle: true,
  minify: true,
  write: false,
  target: 'es2023',
  conditions: ['@shardwise/source'],
  logLevel: 'silent',
} as const satisfies BuildOptions

/** What a bundle is for: to be compared, or to be measured. */
export type BundleKind = 'report' | 'pace'

/** How a bundle comes by its text. */
const reportText = {
  report: () => '`visible: ${world.visible.join(" ")}\\n` + reportOf(engine, stories)',
  pace: (lengths) => `String(paceOf(engine, stories, now, ${JSON.stringify(lengths)}))`,
} as const satisfies Readonly<Record<BundleKind, (lengths: PaceLengths | undefined) => string>>

/**
 * Bundles an engine with the stories into one minified script for any runtime. Run, it leaves its text in a global: `bundle.report`. The bundle of
 * the kind `report` plays the stories in a world without clock, dice and network; that of the kind `pace` measures how long a step takes, for as
 * long as is said, or else for two seconds.
 */
export async function bundleOf(
  engine: EngineEntry,
  kind: BundleKind,
  stories: readonly StoryEvents[],
  lengths?: PaceLengths,
): Promise<string> {
  const names = engineFunctions.join(', ')
  // What is imported first is evaluated first: the clock is taken hold of, then the world is withheld, and only then the engine is loaded.
  const program = [
    ...(kind === 'pace' ? ["import { now } from './clock.ts'"] : []),
    "import { world } from './withheld.ts'",
    `import { ${names} } from ${JSON.stringify(engine.module)}`,
    "import { paceOf } from './pace.ts'",
    "import { reportOf } from './report.ts'",
    `const stories = ${JSON.stringify(stories)}`,
    `const engine = { ${names} }`,
    'let report',
    `try { report = ${reportText[kind](lengths)} } finally { world.putBack() }`,
    'globalThis.bundle = { report }',
  ]
  return scriptOf(program.join('\n'))
}

/** What an engine adds to a program, in bytes: all its functions with all that they need. */
export function sizeOf({ module }: EngineEntry): Promise<ModuleSize> {
  const contents = `export { ${engineFunctions.join(', ')} } from ${JSON.stringify(module)}`
  return moduleSize({ stdin: { contents, resolveDir: import.meta.dirname }, conditions: options.conditions })
}

/** @throws Error when the script would import something where it runs: then it is not whole. */
async function scriptOf(program: string): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    format: 'iife',
    stdin: { contents: program, resolveDir: import.meta.dirname, loader: 'ts' },
  })
  const [script] = outputFiles
  if (script === undefined || /\bimport\b/.test(script.text)) throw new Error('bundle: expected one script without imports')
  return script.text
}

import type { ModuleSize } from '../moduleSize.ts'

/** What came of executing an engine in a runtime: the same effects, or what else. */
export interface Row {
  readonly runtime: string
  readonly version: string
  readonly engine: string
  /** `same`, `not run`, or what went wrong in one line. */
  readonly result: string
  /** Null where it could not be measured. */
  readonly nanosPerStep: number | null
}

/** Everything that the page tells. */
export interface PageFacts {
  readonly stories: number
  readonly steps: number
  /** How many times each story is played. */
  readonly ways: number
  /** Of the effects in the text that all runs must write. */
  readonly sha256: string
  readonly sizes: readonly { readonly engine: string; readonly size: Pick<ModuleSize, 'minified' | 'gzipped'> }[]
  readonly rows: readonly Row[]
  /** The names that a runtime does not let a program hide. */
  readonly visible: readonly { readonly runtime: string; readonly names: readonly string[] }[]
}

const kiloBytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`
const micros = (nanos: number | null): string => (nanos === null ? '–' : Number((nanos / 1_000).toPrecision(2)).toString())
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** The page `docs/runtimes.md`. */
export function pageOf({ stories, steps, ways, sha256, sizes, rows, visible }: PageFacts): string {
  return `# Where the machine runs

<!-- Written by tools/runtimes/main.ts. Do not edit: run \`npm run runtimes\`. -->

\`npm run runtimes\` executes the shard consumer in each runtime of the table and writes this page. Every runtime gets the same script: an engine, bundled and
minified, with the stories of the [scenarios](../test/scenarios) as lists of events. The script plays each story ${ways} times: step by step, with every snapshot
and event read anew from its JSON, and by \`replay\`. It writes down every snapshot, every effect, what is outstanding, and what a restored snapshot asks for. The
result is \`same\` where this text is, byte for byte, the one that the machine writes when its sources run in Node with XState. The SHA-256 of its effects is
\`${sha256}\`.

| runtime | version | engine | stories | steps | result | µs per step |
|---|---|---|---:|---:|---|---:|
${rows.map((row) => `| ${row.runtime} | ${row.version} | ${row.engine} | ${stories} | ${steps} | ${cell(row.result)} | ${micros(row.nanosPerStep)} |`).join('\n')}

Before the engine is loaded, the script takes every global from the runtime but the values of the language that know no time, no dice and no network: it runs without
\`Date\`, \`Math.random\`, timers, \`fetch\`, \`crypto\` and \`process\`, and with a \`console\` that throws. The names that a runtime does not let go of are part of
the text: ${visible.map(({ runtime, names }) => `${names.map((name) => `\`${name}\``).join(', ')} in ${runtime}`).join('; ')}. From the context of \`node:vm\` the clocks and dice are deleted before it sees
the script. Deno grants no permission, workerd no network address, and the page in Chromium asks for nothing but the script.

The time is that of the fastest of many short rounds over all stories, in a run of its own; starts count as steps. In Node and Bun it is CPU time, elsewhere what
the clock of the runtime says has passed. The clock of workerd stands still while a program runs, and the context of \`node:vm\` has none. The computer that writes
this page does other work at the same time: the times tell orders of magnitude, not which runtime is the faster.

## Size

All functions of an engine with everything that they need, as one module, minified by terser.

| engine | minified | gzipped |
|---|---:|---:|
${sizes.map(({ engine, size }) => `| ${engine} | ${kiloBytes(size.minified)} | ${kiloBytes(size.gzipped)} |`).join('\n')}
`
}

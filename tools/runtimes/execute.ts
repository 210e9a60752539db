import type { BundleKind } from './bundle.ts'
import { firstDifference } from './compare.ts'
import type { Row } from './page.ts'
import type { Runtime } from './runtime.ts'

/** Where the bundles of an engine are. */
export type BundlePaths = Readonly<Record<BundleKind, string>>

/**
 * Executes an engine in a runtime, compares its report with the expected one, and measures it only when they are the same. Never rejects: whatever goes
 * wrong is the result, so that the other runtimes have their turn.
 */
export async function execute(runtime: Runtime, bundles: BundlePaths, expected: string): Promise<Omit<Row, 'runtime' | 'engine'>> {
  let version = '–'
  try {
    version = await runtime.version()
    const difference = firstDifference(`visible: ${runtime.visible.join(' ')}\n${expected}`, await runtime.run(bundles.report))
    if (difference !== null) return { version, result: `differs: ${difference}`, nanosPerStep: null }
    return { version, result: 'same', nanosPerStep: JSON.parse(await runtime.run(bundles.pace)) as number | null }
  } catch (error) {
    return { version, result: `failed: ${String(error).slice(0, 1_000)}`, nanosPerStep: null }
  }
}

/** Whether a row is what it should be: the same effects, or left out by the command line. */
export const isFine = ({ result }: Row): boolean => result === 'same' || result === leftOutResult

/** The result of a runtime that the command line left out. */
export const leftOutResult = 'not run'

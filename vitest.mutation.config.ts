import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}/index.ts`, import.meta.url))

/** The files of which most mutants fail one, and those that take long. */
const deadly = /scenarios\.test|failedWork|shutdownAtOddTimes|taskEffects|checkpointRange/
const long = /bothEngines|compileAnyChart/

/** A mutant is done with at the first test that fails. */
class DeadliestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => (deadly.test(moduleId) ? 0 : long.test(moduleId) ? 2 : 1)
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

/** The tests that mutants of the pure packages have to fail: those that take milliseconds, in one thread, for they run once per mutant. */
export default defineConfig({
  resolve: {
    alias: {
      '@shardwise/effects': source('effects'),
      '@shardwise/machine/compiled': fileURLToPath(new URL('./src/machine/compiled.ts', import.meta.url)),
      '@shardwise/machine/host': fileURLToPath(new URL('./src/machine/leaseHost.ts', import.meta.url)),
      '@shardwise/machine': source('machine'),
      '@shardwise/memory': source('adapters/memory'),
      '@shardwise/processor': source('adapters/processor'),
      '@shardwise/testing': source('testing'),
    },
  },
  test: {
    include: ['test/effects/**/*.test.ts', 'test/machine/**/*.test.ts', 'test/scenarios/**/*.test.ts'],
    // These walk whole graphs or live lives by the hundred, most of them while they are loaded, when a mutant costs a run of everything.
    exclude: ['test/machine/{properties,leaseBalance,*Properties}.test.ts'],
    setupFiles: ['test/mutation/fixedSeed.ts'],
    sequence: { sequencer: DeadliestFirst },
    // Stryker ends mutants that hang; a loaded machine is no failure.
    testTimeout: 60_000,
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
  },
})

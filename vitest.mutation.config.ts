import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}/index.ts`, import.meta.url))

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
    // Stryker ends mutants that hang; a loaded machine is no failure.
    testTimeout: 60_000,
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
  },
})

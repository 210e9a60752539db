import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}/index.ts`, import.meta.url))

/** Tests of the pure packages: they run in a world without clock, dice, timers, log and network. */
const pure = ['test/effects/**/*.test.ts', 'test/machine/**/*.test.ts', 'test/scenarios/**/*.test.ts', 'test/house/pureWorld.test.ts']

/** The file that takes longest goes first, though it is the shortest: else one worker would be waiting for it in the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/everyEdge.test.ts')
    return (await super.sort(files)).toSorted((a, b) => Number(isLongest(b)) - Number(isLongest(a)))
  }
}

export default defineConfig({
  resolve: {
    alias: {
      '@shardwise/effects': source('effects'),
      '@shardwise/machine/compiled': fileURLToPath(new URL('./src/machine/compiled.ts', import.meta.url)),
      '@shardwise/machine/host': fileURLToPath(new URL('./src/machine/leaseHost.ts', import.meta.url)),
      '@shardwise/machine': source('machine'),
      '@shardwise/kinesis': source('adapters/kinesis'),
      '@shardwise/dynamodb': source('adapters/dynamodb'),
      '@shardwise/memory': source('adapters/memory'),
      '@shardwise/processor': source('adapters/processor'),
      '@shardwise/multilang': source('adapters/multilang'),
      '@shardwise/testing': source('testing'),
      shardwise: source('worker'),
    },
  },
  test: {
    // What waits for processes takes seconds, and minutes where other work is done on the same cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The default leaves one core idle; many of these tests wait for servers and child processes.
    maxWorkers: 2,
    // Two workers fill two cores: threads of theirs that collect garbage beside them only wait for each other.
    execArgv: ['--max-semi-space-size=64', '--single-threaded-gc'],
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'pure', isolate: false, include: pure, setupFiles: ['test/pureWorld.ts'] } },
      { extends: true, test: { name: 'world', isolate: false, include: ['test/**/*.test.ts'], exclude: pure } },
    ],
  },
})

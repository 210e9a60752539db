import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}/index.ts`, import.meta.url))

/** Tests of the pure packages: they run in a world without clock, dice, timers, log and network. */
const pure = ['test/effects/**/*.test.ts', 'test/machine/**/*.test.ts', 'test/scenarios/**/*.test.ts', 'test/house/pureWorld.test.ts']

/** Tests that run programs, servers that are not ours, or record processors in other languages as processes of their own. */
const processes = ['test/**/*.process.test.ts']

/** The projects in the order in which they run: what waits for processes goes first, and the pure packages, of which most tests take no time, last. */
const order = ['processes', 'world', 'pure']

/** Files that take long though they are short, the longest first: in a fresh clone nothing else tells them from others. */
const longest = [
  'demo.process',
  'workerServers.process',
  'kinesisContract.process',
  'workerFanOut.process',
  'multilangWorker.process',
  'everyEdge',
  'fleetMutants',
  'conformance',
  'fleet',
]

/** No worker waits for the other in the end: long files go first. A worker goes from one project to the next but once, for it loads all modules anew then. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const place = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return order.indexOf(project.name) * (longest.length + 1) + (place === -1 ? longest.length : place)
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
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
    // The default leaves one core idle; many of these tests wait for servers and child processes, so two cores take three at once.
    maxWorkers: Math.max(3, availableParallelism()),
    // The workers fill the cores: threads of theirs that collect garbage beside them only wait for each other.
    execArgv: ['--max-semi-space-size=64', '--single-threaded-gc'],
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'pure', isolate: false, include: pure, setupFiles: ['test/pureWorld.ts'] } },
      // Files share the modules of their worker: to load them anew for each takes longer than most tests.
      { extends: true, test: { name: 'world', isolate: false, include: ['test/**/*.test.ts'], exclude: [...pure, ...processes] } },
      { extends: true, test: { name: 'processes', isolate: false, include: processes } },
    ],
  },
})

import { parseArgs } from 'node:util'
import { minimize, type SimulationOptions, simulate } from '@shardwise/testing'
import { failure, processorMs, speed } from './report.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, from: { type: 'string', default: '1' } },
})
const [minutes, from] = [Number(values.minutes), Number(values.from)]
if (!(minutes > 0)) throw new Error(`minutes: expected a number above 0, got ${values.minutes}`)
if (!Number.isSafeInteger(from)) throw new Error(`from: expected the first seed, a whole number, got ${values.from}`)

const until = performance.now() + minutes * 60_000
const since = process.cpuUsage()
const injected: Record<string, number> = {}
let [virtualMs, steps, seed] = [0, 0, from]
const failed: number[] = []
for (; performance.now() < until; seed += 1) {
  // Small fleets and large ones, short lives and longer ones, in either lease mode.
  const leaseMode = seed % 5 < 2 ? 'kcl' : 'workerHeartbeat'
  const options: SimulationOptions = {
    seed,
    leaseMode,
    workers: 1 + (seed % 6),
    shards: 1 + (seed % 9),
    durationMs: (5 + (seed % 4) * 10) * 60_000,
  }
  const report = await simulate(options)
  virtualMs += report.virtualMs
  steps += report.steps
  for (const [name, count] of Object.entries(report.injected)) injected[name] = (injected[name] ?? 0) + count
  if (report.violations.length === 0) continue
  failed.push(seed)
  console.log(failure(await minimize(options)))
}

const total = Object.values(injected).reduce((sum, count) => sum + count, 0)
console.log(`${seed - from} seeds from ${from}, ${failed.length} failed${failed.length === 0 ? '' : `: ${failed.join(', ')}`}`)
console.log(`${(virtualMs / 3_600_000).toFixed(1)} virtual hours, ${steps} steps, ${total} faults and changes of the fleet or the stream:`)
for (const [name, count] of Object.entries(injected).sort(([a], [b]) => (a < b ? -1 : 1))) console.log(`  ${name.padEnd(18)}${count}`)
console.log(`${speed(virtualMs, processorMs(since))} virtual hours per second of the processor`)
if (failed.length > 0) process.exitCode = 1

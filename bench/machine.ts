import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { moduleSize } from '../tools/moduleSize.ts'
import { measureIdleHeap } from './idleHeap.ts'
import { alignColumns, median } from './results.ts'
import { runProgram } from './runProgram.ts'

/** What the machine itself costs, in a process of its own: run with `--expose-gc`. */
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string', default: '7' } } })
const rounds = values.quick ? 3 : Number(values.rounds)
const share = values.quick ? 10 : 1

/** Contestants with as many steps in a round as take about as long. */
const contestants = [
  { stepper: 'transition', name: "XState's transition()", steps: 20_000 },
  { stepper: 'xstate', name: 'step of @shardwise/machine', steps: 40_000 },
  { stepper: 'compiled', name: 'step of @shardwise/machine/compiled', steps: 1_000_000 },
  { stepper: 'switch', name: 'a switch written by hand', steps: 1_000_000 },
  { stepper: 'tunedSwitch', name: 'the same, copying field by field', steps: 1_000_000 },
].map((contestant) => ({ ...contestant, nanos: [] as number[] }))

for (let round = 0; round < rounds; round += 1) {
  for (const { stepper, steps, nanos } of round % 2 === 0 ? contestants : contestants.toReversed())
    nanos.push(await stepCost(stepper, 1, steps))
}
const nanosOf = (stepper: string): readonly number[] => contestants.find((contestant) => contestant.stepper === stepper)?.nanos ?? []
const ratio = (over: readonly number[], under: readonly number[]): string =>
  median(over.map((nanos, index) => nanos / (under[index] ?? Number.NaN))).toFixed(1)
console.log(
  alignColumns([
    [`a step, ${rounds} rounds`, 'ns CPU/step', 'times faster than transition()', 'times the switch'],
    ...contestants.map(({ name, nanos }) => [
      name,
      median(nanos).toFixed(0),
      ratio(nanosOf('transition'), nanos),
      ratio(nanos, nanosOf('switch')),
    ]),
  ]),
)

const { gzipped } = await moduleSize({
  stdin: {
    contents: "export * from '@shardwise/machine/compiled'",
    resolveDir: fileURLToPath(new URL('.', import.meta.url)),
  },
})
console.log(`\n@shardwise/machine/compiled, minified and gzipped: ${(gzipped / 1_000).toFixed(2)} kB`)

const most = values.quick ? 1_000 : 10_000
const growth: string[][] = []
for (const consumers of [1, 100, most]) {
  const nanos: number[] = []
  for (let round = 0; round < rounds; round += 1) nanos.push(await stepCost('compiled', consumers, 1_000_000))
  growth.push([consumers.toLocaleString('en'), median(nanos).toFixed(0)])
}
console.log(`\n${alignColumns([['shard consumers', 'ns CPU/step, compiled'], ...growth])}`)
const bytes = await measureIdleHeap(most)
console.log(`\nheap of an idle shard of a worker with ${most.toLocaleString('en')}: ${(bytes / 1_000).toFixed(1)} kB`)

/** A process of its own for each figure: what one contestant teaches the runtime about the shapes of objects slows the next one down. */
async function stepCost(stepper: string, consumers: number, steps: number): Promise<number> {
  return Number(await runProgram('stepLoop.ts', [stepper, String(consumers), String(steps / share)]))
}

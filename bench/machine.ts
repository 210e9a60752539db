import { parseArgs } from 'node:util'
import { measureIdleHeap } from './idleHeap.ts'
import { measureStepCost } from './stepCost.ts'

/** What the machine itself costs, in a process of its own: run with `--expose-gc`. */
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const most = values.quick ? 1_000 : 10_000
const steps = values.quick ? 20_000 : 200_000

console.log('shard consumers  ns CPU/step')
for (const consumers of [1, 100, most]) {
  const { nanosPerStep } = measureStepCost(consumers, steps)
  console.log(`${String(consumers).padStart(15)}  ${nanosPerStep.toFixed(0).padStart(11)}`)
}
const bytes = await measureIdleHeap(most)
console.log(`heap of an idle shard of a worker with ${most.toLocaleString('en')}: ${(bytes / 1_000).toFixed(1)} kB`)

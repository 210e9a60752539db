/**
 * Replays the paths over every edge of a shard consumer, and says what they cover. It exits with 1 when an edge of the graph or a transition of the statechart
 * is walked by no path, and throws at a path that does not replay. The paths are made with XState, and replayed with the engine that was compiled from it.
 */
import { parseArgs } from 'node:util'
import { start, step } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import { consumerGraph, pathInputs, pathsOf, pureRuntime, replayPath, TransitionRecorder } from '@shardwise/testing'

parseArgs({ options: {} })

const recorder = new TransitionRecorder(compiled)
const unwalked: string[] = []
const count = (value: number): string => value.toLocaleString('en-US')

for (const input of pathInputs) {
  const graph = consumerGraph(input, { start, step })
  const paths = pathsOf(graph)
  const walked = new Set(paths.flatMap(({ steps }) => steps.map(({ event }) => event)))
  for (const path of paths) await replayPath(path, pureRuntime(recorder))
  const left = graph.edges.filter(({ event }) => !walked.has(event))
  unwalked.push(...left.map(({ from, name }) => `${JSON.stringify(from.value)} on ${name}`))

  const events = paths.reduce((sum, { steps }) => sum + steps.length, 0)
  const longest = Math.max(...[...graph.states.values()].map(({ way }) => way.length))
  console.log(
    Object.entries(input.options ?? {})
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', '),
  )
  console.log(`  ${count(graph.states.size)} states, the farthest ${longest} events from the start`)
  console.log(`  ${count(graph.edges.length)} edges, ${count(graph.edges.length - left.length)} of them walked`)
  console.log(`  ${count(paths.length)} paths of ${count(events)} events, each replayed`)
}

const untaken = recorder.untaken()
console.log(`${recorder.all.length} transitions in the statechart, eventless ones included, ${recorder.taken.size} of them taken`)
for (const [what, left] of [
  ['edges that no path walked', unwalked],
  ['transitions that no path took', untaken],
] as const) {
  console.log(`${what}: ${left.length === 0 ? 'none' : left.length}`)
  for (const name of left) console.log(`  ${name}`)
}
if (unwalked.length + untaken.length > 0) process.exitCode = 1

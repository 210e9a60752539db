import { readFileSync } from 'node:fs'
import { type Engine, invariants, type Life, live } from '@shardwise/testing'
import { readArguments } from './arguments.ts'
import { counterexampleText, prove, transcriptOf, wrongIn } from './prove.ts'

type Engines = Readonly<Record<string, Engine>>
type Say = (line: string) => void

/** Runs the command: 0 when all invariants held, 1 when one did not, 2 when it was not understood. `draw` gives the seed where none is given. */
export function runCommandLine(given: readonly string[], engines: Engines, say: Say, draw: () => number): number {
  try {
    const { operations, seed, replay } = readArguments(given, draw)
    return replay === null ? search(engines, operations, seed, say) : relive(engines, replay, say)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 2
  }
}

function search(engines: Engines, operations: number, seed: number, say: Say): number {
  say(`seed ${seed}`)
  const begun = performance.now()
  const proof = prove({ engines, operations, seed })
  const ms = performance.now() - begun
  const told = {
    engines: Object.keys(engines).join(', '),
    invariants: invariants.length,
    seeds: `${seed} to ${seed + proof.seeds.length - 1}`,
    lives: proof.lives,
    operations: proof.operations,
    events: proof.events,
    states: proof.states.size,
    transitions: proof.transitions.size,
    'time per operation': `${((ms * 1000) / proof.operations).toFixed(1)} µs`,
    time: `${(ms / 1000).toFixed(1)} s`,
  }
  for (const [name, value] of Object.entries(told))
    say(`${name.padEnd(20)}${typeof value === 'number' ? value.toLocaleString('en-US') : value}`)
  if (proof.counterexample === null) return 0
  say(counterexampleText(proof.counterexample))
  return 1
}

/** Lives one life, as a counterexample prints it, and tells it. */
function relive(engines: Engines, file: string, say: Say): number {
  const life = JSON.parse(readFileSync(file, 'utf8')) as Life
  const wrong = wrongIn(life, engines, invariants)
  const [first] = Object.values(engines)
  if (wrong === null && first !== undefined) say(transcriptOf(live(life, first)))
  if (wrong?.trace) say(transcriptOf(wrong.trace))
  say(wrong === null ? 'All invariants hold.' : `${wrong.title} does not hold with the engine ${wrong.engine}:`)
  for (const what of wrong?.wrong ?? []) say(`  ${what}`)
  return wrong === null ? 0 : 1
}

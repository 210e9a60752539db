import { readFileSync } from 'node:fs'
import { invariants, type Life, live } from '@shardwise/testing'
import { readArguments } from './arguments.ts'
import { engines } from './engines.ts'
import { counterexampleText, prove, transcriptOf, wrongIn } from './prove.ts'

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const [first] = Object.values(engines)

/** Lives one life and tells it: what a counterexample is read with. */
function replay(file: string): void {
  const life = JSON.parse(readFileSync(file, 'utf8')) as Life
  if (first !== undefined) say(transcriptOf(live(life, first)))
  const wrong = wrongIn(life, engines, invariants)
  say(wrong === null ? 'All invariants hold.' : [`I${String(wrong.number)}: ${wrong.name} (${wrong.engine})`, ...wrong.wrong].join('\n  '))
  if (wrong !== null) process.exitCode = 1
}

function search(operations: number, seed: number): void {
  const begun = performance.now()
  const proof = prove({ engines, operations, seed })
  const ms = performance.now() - begun
  const done = Object.entries({
    engines: Object.keys(engines).join(', '),
    invariants: invariants.length,
    seeds: proof.seeds.length > 1 ? `${seed} to ${proof.seeds.at(-1)}` : seed,
    operations: proof.operations,
    events: proof.events,
    lives: proof.lives,
    states: proof.states.size,
    transitions: proof.transitions.size,
    'time per operation': `${((ms * 1000) / proof.operations).toFixed(1)} µs`,
    time: `${(ms / 1000).toFixed(1)} s`,
  })
  for (const [name, value] of done) say(`${name.padEnd(20)}${typeof value === 'number' ? value.toLocaleString('en-US') : value}`)
  if (proof.counterexample === null) return
  say(counterexampleText(proof.counterexample))
  process.exitCode = 1
}

try {
  const { operations, seed, replay: file } = readArguments(process.argv.slice(2), () => Date.now() % 1_000_000_000)
  if (file === null) search(operations, seed)
  else replay(file)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as machine from '@shardwise/machine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BundleKind, bundleOf } from '../../tools/runtimes/bundle.ts'
import { type EngineEntry, engines } from '../../tools/runtimes/engines.ts'
import { execute } from '../../tools/runtimes/execute.ts'
import { nodeAt } from '../../tools/runtimes/node.ts'
import { reportOf } from '../../tools/runtimes/report.ts'
import { printed } from '../../tools/runtimes/runtime.ts'
import { readStories } from '../../tools/runtimes/stories.ts'
import { vm } from '../../tools/runtimes/vm.ts'

const stories = readStories()
const expected = reportOf(machine, stories)
const thisNode = nodeAt('this Node', process.execPath)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runtimes-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function bundled(engine: EngineEntry, kind: BundleKind = 'report'): Promise<string> {
  const path = join(folder, `${engine.name}-${kind}.js`)
  await writeFile(path, await bundleOf(engine, kind, stories, { warmUpMs: 1, measuredMs: 20 }))
  return path
}

/** An engine that is not the machine: its module is written here, and what it exports beside `start` is not called. */
const engineThat = (name: string, start: string): EngineEntry => ({
  name,
  module: `data:text/javascript,${encodeURIComponent(
    `export const step = 0, outstanding = 0, restore = 0, replay = 0, shardConsumer = 0\n${start}`,
  )}`,
})

describe.each(engines)('the bundle of $name', (engine) => {
  it.each([
    { runtime: vm, time: null },
    { runtime: thisNode, time: expect.toSatisfy((nanos: unknown) => typeof nanos === 'number' && nanos > 0) },
  ])('does in $runtime.name what the sources do, byte for byte, and is measured if there is a clock', async ({ runtime, time }) => {
    const outcome = await execute(runtime, { report: await bundled(engine), pace: await bundled(engine, 'pace') }, expected)

    expect(outcome).toEqual({ version: expect.stringContaining(process.versions.node), result: 'same', nanosPerStep: time })
  })
})

describe('the world of a bundle', () => {
  const worldly = [
    'Date',
    'performance',
    'Temporal',
    'Intl',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'fetch',
    'WebSocket',
    'EventSource',
    'process',
    'Buffer',
    'crypto',
    'navigator',
    'Atomics',
    'SharedArrayBuffer',
    'WebAssembly',
    'FinalizationRegistry',
    'global',
    'eval',
    'Math.random',
  ]
  const lookAround = `export function start() { const world = { ...globalThis, 'Math.random': Math.random }; throw new Error('sees ' + ${JSON.stringify(worldly)}.filter((name) => world[name] !== undefined || name in globalThis).join(' ') + '.') }`

  it.each([vm, thisNode])('has in $name no clock, dice, timers, network or environment', async (runtime) => {
    await expect(runtime.run(await bundled(engineThat('looking-around', lookAround)))).rejects.toThrow('sees .')
  })

  it.each(['console.log("heard")', 'globalThis.console.log("heard")'])('has a log that nobody may write to: %s', async (write) => {
    const path = await bundled(engineThat('talking', `export function start() { ${write} }`))

    await expect(vm.run(path)).rejects.toThrow('console: the machine has no log')
  })

  it('is there again when the bundle has run', async () => {
    const program = `const look = () => Reflect.ownKeys(globalThis).map(String).filter((name) => name !== 'bundle').sort().join(' ')
      const before = look()
      await import(${JSON.stringify(await bundled(engines[0]))})
      console.log(before === look(), typeof Date.now(), typeof Math.random(), typeof fetch, typeof bundle.report)`
    await writeFile(join(folder, 'before.mjs'), program)

    expect(await printed(process.execPath, [join(folder, 'before.mjs')])).toBe('true number number function string')
  })
})

describe('a bundle', () => {
  it.each([
    ['the name of a module of Node', 'import fs from "node:fs"; export const start = fs', 'Could not resolve "node:fs"'],
    ['a computed name', 'export const start = (name) => import(name)', 'bundle: expected one script without imports'],
  ])('is refused when it would import where it runs: %s', async (_, program, message) => {
    await expect(bundled(engineThat('importing', program))).rejects.toThrow(message)
  })
})

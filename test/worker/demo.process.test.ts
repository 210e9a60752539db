import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { program } from './program.ts'

const source = (name: string): string => fileURLToPath(new URL(`../../demo/${name}`, import.meta.url))
const main = await program(source('main.ts'), [], { './workerProcess.ts': await program(source('workerProcess.ts')) })
const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** Runs what `npm start` runs, from one file. `onLine` hears every line of its output. */
async function runDemo(args: readonly string[], onLine: (line: string, child: ChildProcess) => void = () => undefined) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    for (const line of chunk.split('\n')) onLine(line, child)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  running.delete(child)
  return { code, stdout, stderr }
}

describe.concurrent('the demo', { timeout: 150_000 }, () => {
  it('loses nothing while a shard is split and two are merged, says so, and ends with 0', async () => {
    const { code, stdout, stderr } = await runDemo(['--orders', '160', '--rate', '60'])

    expect(stderr).toBe('')
    expect(stdout).toContain('shardId-000000000000 is split')
    expect(stdout).toMatch(/shardId-00000000000\d and shardId-00000000000\d are merged/)
    expect(stdout).toContain('\n160 orders put, 160 delivered, 0 delivered twice, 0 lost, 0 out of order\n')
    expect(stdout).toMatch(/\n {2}shardId-000000000000 {2}SHARD_END +- +\d+ +- +2 3\n/)
    expect(stdout).toMatch(/\n {2}shardId-000000000004 {2}…\d+ +- +\d+ +1 3 +-\n/)
    expect(stdout).toContain('    WAITING_ON_PARENT_SHARDS > INITIALIZING > PROCESSING > SHUTTING_DOWN > SHUTDOWN_COMPLETE\n')
    expect(code).toBe(0)
  })

  it('loses nothing when one of several workers is killed and another joins, and says how long each shard was without one', async () => {
    const { code, stdout } = await runDemo(['--orders', '160', '--rate', '60', '--workers', '2'])

    expect(stdout).toMatch(/\nworker-\d is killed\n/)
    expect(stdout).toContain('\nworker-3 joins\n')
    expect(stdout).toContain('shardId-000000000000 is split')
    expect(stdout).toMatch(/\n160 orders put, 160 delivered, \d+ delivered twice, 0 lost, 0 out of order\n/)
    expect(stdout).toMatch(/\n {2}shardId-00000000000\d +worker-\d +worker-\d +\d+\.\d\d s +it was killed\n/)
    expect(code).toBe(0)
  })

  it('stops in order at Ctrl-C, tells what was consumed so far, and claims no loss', async () => {
    let interrupted = false
    const { code, stdout, stderr } = await runDemo(['--orders', '3000', '--rate', '60'], (line, child) => {
      if (interrupted || !/PROCESSING.* [1-9]\d* delivered/.test(line)) return
      interrupted = child.kill('SIGINT')
    })

    expect(stderr).toBe('')
    expect(stdout).toContain('SIGINT: stopping in order; once more to end at once\n')
    expect(stdout).toMatch(/\ninterrupted: \d+ orders were put and not read yet/)
    expect(stdout).toMatch(/\n\d+ orders put, [1-9]\d* delivered, 0 delivered twice, 0 lost, 0 out of order\n/)
    expect(code).toBe(0)
  })

  it('stops in order at Ctrl-C while it starts', async () => {
    const { code, stdout, stderr } = await runDemo([], (line, child) => {
      if (line.startsWith('starting')) child.kill('SIGINT')
    })

    expect(stderr).toBe('')
    expect(stdout).toContain('interrupted before the first order was put\n')
    expect(code).toBe(0)
  })

  it('ends at once at a second Ctrl-C', async () => {
    const { code, stdout } = await runDemo([], (line, child) => {
      if (line.startsWith('starting') || line.startsWith('SIGINT: stopping')) child.kill('SIGINT')
    })

    expect(stdout).not.toContain('interrupted')
    expect(code).toBe(130)
  })
})

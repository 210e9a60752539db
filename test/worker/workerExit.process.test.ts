import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { program } from './program.ts'

const runAndReturnProgram = await program(fileURLToPath(new URL('./runAndReturn.ts', import.meta.url)), ['vitest'])

/** Runs the program in a process of its own, and answers what it wrote. A process that does not end by itself is killed. */
async function runAndReturn(how: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [runAndReturnProgram, how], { stdio: 'pipe', timeout: 25_000 })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output }
}

describe('a worker whose run has returned', () => {
  it.concurrent.each(['in order', 'by force', 'by a failure'])('%s leaves no timer behind, and its process ends by itself', async (how) => {
    expect(await runAndReturn(how)).toEqual({ code: 0, output: 'alive: nothing\n' })
  })
})

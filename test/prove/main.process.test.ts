import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { program } from '../worker/program.ts'

it('the process of a proof ends with the exit code of its command line', async () => {
  const main = await program(join(import.meta.dirname, 'main.ts'))
  const code = await new Promise((resolve) => {
    execFile(process.execPath, [main, '--speed', '9'], (error) => resolve(error?.code))
  })

  expect(code).toBe(2)
})

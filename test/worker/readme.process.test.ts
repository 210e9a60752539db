import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declareOptions, readOptions } from '../../src/worker/commandLineOptions.ts'
import { localAws } from './cliRun.ts'
import { type CliServers, startServers } from './cliServers.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = await readFile(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(([, language = '', name = '', text = '']) => ({
  language,
  name,
  text,
}))

/** The text of a block by its language and name. */
function block(language: string, name: string): string {
  const found = blocks.find((candidate) => candidate.language === language && candidate.name === name)
  if (found === undefined) throw new Error(`README.md: expected a block \`\`\`${language} ${name}`)
  return found.text
}

let servers: CliServers
let folder: string
beforeAll(async () => {
  servers = await startServers()
  // Where the packages of the workspace are found.
  folder = await mkdtemp(join(root, 'node_modules', '.readme-'))
  for (const { language, name, text } of blocks) if (language === 'js') await writeFile(join(folder, name), text)
})
afterAll(async () => {
  await servers.stop()
  await rm(folder, { recursive: true })
})

function run(file: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@shardwise/source', join(folder, file)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env },
  })
  const read = { stdout: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    read.stdout += chunk
    if (read.stdout.split('\n').length > 20) child.kill('SIGTERM')
  })
  return new Promise<{ code: number | null; stdout: string }>((resolve) => child.once('close', (code) => resolve({ code, ...read })))
}

describe('README.md', () => {
  it('has a snippet for the machine that prints what it says', async () => {
    expect(await run('machine.mjs')).toEqual({ code: 0, stdout: block('text', 'machine.mjs') })
  })

  it('has a worker that consumes a stream until SIGTERM, with the processor it shows', async () => {
    const orders = await servers.fillStream('orders', 2, 20)
    const [, kinesis = '', , dynamodb = ''] = servers.endpoints
    const { code, stdout } = await run('worker.mjs', {
      ...localAws,
      AWS_ENDPOINT_URL_KINESIS: kinesis,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    })

    const consumed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
    expect(consumed.sort()).toEqual([...orders].sort())
    expect(code).toBe(0)
    expect((await servers.leases('billing')).map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
  })

  it('has a command line that is understood', () => {
    const [, args = ''] = /^npx shardwise consume (.*)$/m.exec(readme) ?? []
    const command = declareOptions().exitOverride().parse(args.split(' '), { from: 'user' })

    expect(readOptions(command)).toMatchObject({
      processorFile: './processor.mjs',
      options: { streamName: 'orders', applicationName: 'billing' },
    })
  })

  it('has no program that is not run here', () => {
    expect(blocks.map(({ language, name }) => `${language} ${name}`.trim())).toEqual([
      'sh',
      'text',
      'js processor.mjs',
      'sh',
      'js worker.mjs',
      'js machine.mjs',
      'text machine.mjs',
    ])
  })

  it('is a letter, not a book', () => {
    const lines = readme.trimEnd().split('\n').length

    expect(lines).toBeGreaterThanOrEqual(100)
    expect(lines).toBeLessThan(150)
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { killAll, localAws, recorder, startCli } from './cliRun.ts'
import { type CliServers, startServers } from './cliServers.ts'

let servers: CliServers
let folder: string
beforeAll(async () => {
  servers = await startServers()
  await servers.fillStream('orders', 1, 5)
  folder = await mkdtemp(join(tmpdir(), 'shardwise-cli-'))
})
afterAll(async () => {
  killAll()
  await servers.stop()
  await rm(folder, { recursive: true })
})

const required = ['consume', '--stream', 'orders', '--application', 'errors', '--processor', recorder]

/** The exit code, and what was written to stderr beside the log. */
async function outcomeOf(args: readonly string[], env: Readonly<Record<string, string>> = localAws) {
  const { code, stderr } = await startCli([...args, '--log-level', 'silent'], env).ended
  return { code, says: stderr.replace('(--help shows what there is)\n', '') }
}

const failing = (says: string) => ({ code: 1, says: `${says}\n` })

describe.concurrent('a wrong command line', () => {
  it.each<[says: string, args: readonly string[]]>([
    ["error: unknown command 'consum'\n(Did you mean consume?)", ['consum']],
    ["error: unknown option '--strem'\n(Did you mean --stream?)", [...required, '--strem', 'x']],
    ['Error: --max-records: expected a whole number from 1 to 10000, got 10001', [...required, '--max-records', '10001']],
  ])('ends with 1 and one error: %s', async (says, args) => {
    const { code, stderr } = await startCli(args).ended

    expect(stderr.replace('\n(--help shows what there is)', '')).toBe(`${says}\n`)
    expect(code).toBe(1)
  })
})

describe.concurrent('a processor module', () => {
  const written = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }
  const withProcessor = (path: string): readonly string[] => [
    'consume',
    '--stream',
    'orders',
    '--application',
    'modules',
    '--processor',
    path,
    ...servers.endpoints,
  ]

  it('that does not exist is named', async () => {
    const path = join(folder, 'missing.mjs')
    const { code, says } = await outcomeOf(withProcessor(path))

    expect(says).toMatch(`Error: --processor: ${path} does not load: Error: Cannot find module '${path}'`)
    expect(says.trimEnd()).not.toContain('\n')
    expect(code).toBe(1)
  })

  it('that throws while it loads is named with its error', async () => {
    const path = await written('throws.mjs', "throw new RangeError('no database\\nat all')")

    expect(await outcomeOf(withProcessor(path))).toEqual(failing(`Error: --processor: ${path} does not load: RangeError: no database`))
  })

  it.each([
    ['nothing.mjs', 'export {}', 'it exports nothing'],
    ['other.mjs', 'export const handler = () => 1', 'it exports handler'],
    ['object.mjs', 'export default { processRecords() {} }', 'it exports an object'],
  ])('%s exports nothing that makes processors', async (name, text, got) => {
    const path = await written(name, text)

    expect(await outcomeOf(withProcessor(path))).toEqual(
      failing(
        `Error: --processor: expected ${path} to export a class or a function (shardId) => processor, as default or createProcessor; ${got}`,
      ),
    )
  })

  it.each([
    ['noEnd.mjs', 'export default class Half { initialize() {} processRecords() {} }', 'Half', 'leaseLost, shardEnded'],
    [
      'noStart.mjs',
      'class Base { shutdown() {} }\nexport class Old extends Base { version = 1 }\nexport { Old as createProcessor }',
      'Old',
      'initialize, processRecords',
    ],
  ])('%s exports a class that lacks methods, which is said before anything starts', async (name, text, className, missing) => {
    const path = await written(name, text)
    const { code, says } = await outcomeOf(withProcessor(path), {})

    expect(says).toBe(
      `Error: --processor: the class ${className} in ${path} lacks ${missing}; expected initialize, processRecords, leaseLost and shardEnded, or, ` +
        'with `version = 1` or `version = 2`, initialize, processRecords and shutdown\n',
    )
    expect(code).toBe(1)
  })

  it('whose function makes something incomplete ends the worker at the first shard, with the lease given up', async () => {
    const path = await written('incomplete.mjs', 'export default () => ({ initialize() {}, processRecords() {}, shutdown() {} })')

    expect(await outcomeOf(withProcessor(path))).toEqual(
      failing(
        'Error: processor.leaseLost: a processor of the KCL shape has the functions initialize, processRecords, leaseLost, shardEnded; ' +
          'one with shutdown() says `version = 1` or `version = 2`, got undefined',
      ),
    )
    expect((await servers.leases('modules')).map(({ leaseOwner }) => leaseOwner)).toEqual([null])
  })

  it.each([
    [
      'a class of version 1',
      'V1',
      'export default class { version = 1; initialize() {} shutdown() {}\n processRecords = (records) => console.log(JSON.stringify({ order: String(records.length) })) }',
    ],
    [
      'a class of version 2',
      'V2',
      'export class createProcessor { version = 2; initialize() {} shutdown() {}\n processRecords({ records }) { console.log(JSON.stringify({ order: String(records.length) })) } }',
    ],
  ])('may hold %s', async (_, name, text) => {
    const path = await written(`${name}.mjs`, text)
    const run = startCli(['consume', '--stream', 'orders', '--application', name.padEnd(3, '-'), '--processor', path, ...servers.endpoints])
    await run.until((lines) => lines.length > 0)
    run.kill('SIGTERM')

    expect(run.lines).toEqual([{ order: '5' }])
    expect((await run.ended).code).toBe(0)
  })
})

describe.concurrent('a start that cannot succeed', () => {
  it('names the endpoint that does not answer, also where its name has several addresses', async () => {
    const endpoint = `http://localhost:${await freePort()}`
    const { code, says } = await outcomeOf([...required, '--endpoint', endpoint, '--start-attempts', '1'])

    expect(says).toMatch(new RegExp(`^EndpointUnreachable: ${endpoint} cannot be reached: connect ECONNREFUSED .+\n$`))
    expect(code).toBe(1)
  })

  it('asks for credentials', async () => {
    const { code, says } = await outcomeOf([...required, ...servers.endpoints], { AWS_REGION: 'us-east-1' })

    expect(says).toMatch(/^Error: credentials: expected some of the AWS default chain, found none: .+\n$/)
    expect(code).toBe(1)
  })

  it('asks for a region', async () => {
    const { AWS_REGION: _, ...credentials } = localAws

    expect(await outcomeOf([...required, ...servers.endpoints], credentials)).toEqual(
      failing('Error: --region: expected one in the options, in AWS_REGION or in the AWS config file, found none'),
    )
  })

  it('says that there is no such stream', async () => {
    const args = ['consume', '--stream', 'nowhere', '--application', 'nowhere', '--processor', recorder, ...servers.endpoints]

    expect(await outcomeOf(args)).toEqual(failing('StreamNotFound: --stream: there is no such stream in this region and account'))
  })

  it('refuses a table that is not a lease table', async () => {
    await servers.dynamodb.send(
      new CreateTableCommand({
        TableName: 'invoices',
        AttributeDefinitions: [{ AttributeName: 'invoiceId', AttributeType: 'N' }],
        KeySchema: [{ AttributeName: 'invoiceId', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    )

    expect(await outcomeOf([...required, '--table', 'invoices', ...servers.endpoints])).toEqual(
      failing(
        'NotALeaseTable: --table: expected a lease table, whose only key is HASH leaseKey (S), got "invoices" with HASH invoiceId (N)',
      ),
    )
  })

  it('refuses a missing table with --no-create-table', async () => {
    expect(await outcomeOf([...required, '--table', 'missing', '--no-create-table', ...servers.endpoints])).toEqual(
      failing('TableMissing: --table: expected a table, got "missing", which does not exist, and createTable is false'),
    )
  })

  it('names the row and the attribute of a lease that cannot be read', async () => {
    await servers.dynamodb.send(
      new CreateTableCommand({
        TableName: 'broken',
        AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    )
    const item = {
      leaseKey: { S: 'shardId-000000000000' },
      leaseCounter: { N: '3' },
      checkpoint: { S: 'yesterday' },
      ownerSwitchesSinceCheckpoint: { N: '0' },
    }
    await servers.dynamodb.send(new PutItemCommand({ TableName: 'broken', Item: item }))
    const { code, says } = await outcomeOf([...required, '--table', 'broken', ...servers.endpoints, '--start-attempts', '1'])

    expect(says).toContain(
      'lease "shardId-000000000000": checkpoint: expected decimal digits, TRIM_HORIZON, LATEST, AT_TIMESTAMP or SHARD_END (S), got {"S":"yesterday"}',
    )
    expect(says.trimEnd()).not.toContain('\n')
    expect(code).toBe(1)
  })
})

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('port: expected one')
  return address.port
}

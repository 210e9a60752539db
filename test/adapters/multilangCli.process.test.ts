import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { declareMultilangOptions, readMultilangOptions } from '../../src/worker/commandLineOptions.ts'
import { consumeMultilang } from '../../src/worker/multilang.ts'
import { type CliRun, killAll, localAws, startCli } from '../worker/cliRun.ts'
import { type CliServers, startServers } from '../worker/cliServers.ts'
import { aLedger, answer, awsKcl, isAlive, type Ledger, type Note, python, scripted, textsIn, toldIn } from './multilang/setting.ts'

let servers: CliServers
beforeAll(async () => {
  servers = await startServers()
})
afterAll(async () => {
  killAll()
  await servers.stop()
})
let ledger: Ledger
beforeEach(() => {
  ledger = aLedger()
})
afterEach(() => ledger.remove())

/** Writes a properties file for a stream and a command, in a folder that is removed with the ledger. */
function propertiesFile(name: string, command: readonly string[], more: readonly string[] = []): string {
  const [, kinesis, , dynamodb] = servers.endpoints
  const file = join(dirname(ledger.file), 'app.properties')
  const lines = [
    '# What the MultiLangDaemon ran, with local endpoints',
    `executableName = ${command.join(' ')}`,
    `streamName: ${name}`,
    `applicationName ${name}`,
    'AWSCredentialsProvider = DefaultAWSCredentialsProviderChain',
    'initialPositionInStream = \\',
    '    TRIM_HORIZON',
    'processingLanguage = nodejs/20',
    `kinesisEndpoint = ${kinesis?.replaceAll(':', '\\:')}`,
    `dynamoDBEndpoint = ${dynamodb}`,
    'maxRecords = 10',
    'idleTimeBetweenReadsInMillis = 50',
    'failoverTimeMillis = 30000',
    'leaseAssignmentIntervalMillis = 100',
    ...more,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

const runMultilang = (...args: readonly string[]): CliRun => startCli(['multilang', ...args], localAws)

const untilNoted = (holds: (notes: readonly Note[]) => boolean): Promise<void> =>
  vi.waitFor(() => expect(holds(ledger.notes())).toBe(true), { timeout: 60_000, interval: 20 })
const pids = (): readonly number[] => [...new Set(ledger.notes().flatMap(({ pid }) => pid ?? []))]

describe('shardwise multilang', { timeout: 150_000 }, () => {
  it('runs processors of aws-kcl from a properties file, stops them in order at SIGTERM, and Python goes on: nothing is lost or delivered twice', async () => {
    const orders = await servers.fillStream('multilang', 2, 200)
    const first = runMultilang('--properties-file', propertiesFile('multilang', [...awsKcl(2, ledger.file), '20']))
    await untilNoted((notes) => textsIn(notes).length >= 50)
    first.kill('SIGTERM')
    const { code, stderr } = await first.ended
    const afterFirst = ledger.notes()
    const between = await servers.leases('multilang')

    const second = runMultilang(
      propertiesFile('multilang', python(3, ledger.file), ['metricsLevel = DETAILED', 'shutdownGraceMillis = 20000']),
    )
    await untilNoted((notes) => textsIn(notes).length >= orders.length)
    second.kill('SIGTERM')
    const secondEnded = await second.ended

    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(textsIn(afterFirst).length).toBeLessThan(orders.length)
    expect(toldIn(afterFirst).toSorted()).toEqual([
      'initialize',
      'initialize',
      'leaseLost',
      'leaseLost',
      'shutdownRequested',
      'shutdownRequested',
    ])
    expect(between.map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
    expect(secondEnded.code).toBe(0)
    expect(textsIn(ledger.notes()).toSorted()).toEqual(orders.toSorted())
    expect(pids()).toHaveLength(4)
    expect(pids().filter(isAlive)).toEqual([])
    expect(secondEnded.stderr).toMatch(/warn .*app\.properties: metricsLevel: it changes nothing: no metrics are sent to CloudWatch/)
    // What is in the records is not in the log.
    expect(stderr + secondEnded.stderr).not.toMatch(new RegExp(`order-1|${Buffer.from('order-1').toString('base64')}`))
  })

  it('leaves no child behind when it is forced to end, or killed', async () => {
    await servers.fillStream('forced', 1, 5)
    const pidNote = `require('fs').appendFileSync('${ledger.file}',JSON.stringify({pid:process.pid,told:message.action})+String.fromCharCode(10))`
    // It does not answer records, and does not end by itself.
    const stubborn = scripted(`setInterval(()=>{},1000);${pidNote};${answer}`, pidNote)
    const file = propertiesFile('forced', stubborn, ['shutdownGraceMillis = 300'])

    const hanging = runMultilang('-p', file)
    await untilNoted((notes) => toldIn(notes).includes('processRecords'))
    hanging.kill('SIGTERM')
    expect((await hanging.ended).code).toBe(143)
    await vi.waitFor(() => expect(pids().filter(isAlive)).toEqual([]), { timeout: 10_000 })

    const patient = scripted(`${pidNote};${answer}`, pidNote)
    const killed = runMultilang(propertiesFile('forced', patient))
    await untilNoted((notes) => toldIn(notes).filter((told) => told === 'processRecords').length === 2)
    killed.kill('SIGKILL')
    await killed.ended
    await vi.waitFor(() => expect(pids().filter(isAlive)).toEqual([]), { timeout: 10_000 })
  })

  it('ends with 1 and one line where no file is named, and where a value does not fit', async () => {
    const unfit = propertiesFile('errors', ['true'], ['maxRecords = 20000'])
    const [none, wrong] = await Promise.all([runMultilang().ended, runMultilang(unfit).ended])

    expect(none).toMatchObject({ code: 1, stderr: 'Error: --properties-file: expected one properties file, got none\n' })
    expect(wrong).toMatchObject({ code: 1, stderr: `Error: ${unfit}: maxRecords: expected a whole number from 1 to 10000, got 20000\n` })
  })

  it('takes the file as an argument or as an option, once', () => {
    const read = (...args: readonly string[]) => readMultilangOptions(declareMultilangOptions().parse(args, { from: 'user' }))

    expect(read('a.properties')).toEqual({ propertiesFile: 'a.properties', logConfiguration: undefined, logLevel: undefined, live: true })
    expect(read('-p', 'a.properties', '-l', 'logback.xml', '--no-live', '--log-level', 'debug')).toEqual({
      propertiesFile: 'a.properties',
      logConfiguration: 'logback.xml',
      logLevel: 'debug',
      live: false,
    })
    expect(() => read('a.properties', '-p', 'b.properties')).toThrow(
      '--properties-file: expected one properties file, got a.properties and b.properties',
    )
  })

  const consume = (file: string): Promise<void> =>
    consumeMultilang({ propertiesFile: file, logConfiguration: undefined, logLevel: 'silent', live: false })

  it.each([
    ['idleTimeBetweenReadsInMillis = soon', 'idleTimeBetweenReadsInMillis: expected a whole number, got "soon"'],
    ['timeoutInSeconds = 9999999', 'timeoutInSeconds: expected a whole number from 1 to 2147483647, got 9999999000'],
    ['executableName = no-such-program x', 'executableName: expected an executable file on PATH, found no no-such-program'],
    ['executableName = ./app.properties', 'executableName: expected an executable file, found no ./app.properties'],
    ['tableName = \\u12', 'properties: line 15: expected four hexadecimal digits after \\u'],
  ])('names the file and the key of %j, before anything starts', async (line, message) => {
    const file = propertiesFile('errors', ['true'], [line])

    await expect(consume(file)).rejects.toThrow(new Error(`${file}: ${message}`))
  })

  it('names a file that cannot be read', async () => {
    await expect(consume('/nowhere/app.properties')).rejects.toThrow(
      '--properties-file: /nowhere/app.properties cannot be read: ENOENT: no such file or directory',
    )
  })
})

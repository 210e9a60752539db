import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PagesOptions } from '../servers/pages.ts'
import { readArguments } from './arguments.ts'
import { type Contestant, type Race, races, roundTripMs } from './contestants.ts'
import type { Course, Measurement } from './measure.ts'
import { tableOf } from './results.ts'
import { pathOf, runProgram } from './runProgram.ts'

const { pairs, pageSizes, quick } = readArguments(process.argv.slice(2))
for (const recordsPerPage of pageSizes) for (const race of races) await run(race, recordsPerPage)
console.log(await runProgram('machine.ts', quick ? ['--quick'] : [], ['--expose-gc']))
console.log(`\n${await runProgram('kplLoop.ts', quick ? ['--quick'] : [])}`)
console.log(`\n${await runProgram('multilangLoop.ts', quick ? ['--quick'] : [])}`)
if (quick) console.log('A quick run: the figures are not to be quoted.')

/** Lets every contestant consume the same stream, round after round, and prints the table of medians. */
async function run({ title, endpoint, shards = 4, pagesPerShard, contestants }: Race, recordsPerPage: number): Promise<void> {
  const recordsPerShard = pagesPerShard === undefined ? (quick ? 10_000 : 100_000) : pagesPerShard * recordsPerPage
  const stream: PagesOptions = { shards, recordsPerShard, recordsPerPage, bytesPerRecord: 200, end: 'open' }
  const { server, endpoints } = await startServer(stream)
  const trusted = trust(endpoints.certificate)
  try {
    console.log(
      `${title}: ${shards} shard${shards === 1 ? '' : 's'} of ${recordsPerShard} records of ${stream.bytesPerRecord} bytes, ${recordsPerPage} a page; ${pairs} pairs`,
    )
    const rounds: ReadonlyMap<Contestant, Measurement[]> = new Map(contestants.map((contestant) => [contestant, []]))
    for (let pair = 0; pair < pairs; pair += 1) {
      // Every other pair runs in reverse, so that nobody always has the warmer machine.
      for (const contestant of pair % 2 === 0 ? contestants : contestants.toReversed()) {
        const { program, client } = contestant
        const course: Course = { endpoint: endpoints[endpoint], client, records: shards * recordsPerShard, recordsPerPage }
        rounds.get(contestant)?.push(JSON.parse(await runProgram(program, [JSON.stringify(course)])) as Measurement)
      }
    }
    console.log(`${tableOf([...rounds].map(([{ name }, measured]) => ({ name, rounds: measured })))}\n`)
  } finally {
    trusted.forget()
    server.disconnect()
  }
}

/** Makes the processes that are started from now on trust a certificate, whichever client they use. */
function trust(certificate: string): { forget(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'shardwise-bench-'))
  const file = join(folder, 'certificate.pem')
  writeFileSync(file, certificate)
  process.env['NODE_EXTRA_CA_CERTS'] = file
  return {
    forget() {
      delete process.env['NODE_EXTRA_CA_CERTS']
      rmSync(folder, { recursive: true })
    },
  }
}

type Endpoints = Readonly<Record<Race['endpoint'] | 'certificate', string>>

async function startServer(stream: PagesOptions): Promise<{ server: ChildProcess; endpoints: Endpoints }> {
  const server = fork(pathOf('../servers/pagesServerProcess.ts'), [JSON.stringify({ ...stream, roundTripMs })])
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`pages server: ended with ${String(code)} before it was ready`)
  })
  const [endpoints] = (await Promise.race([once(server, 'message'), ended])) as [Endpoints]
  ended.catch(() => undefined)
  return { server, endpoints }
}

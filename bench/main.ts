import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { PagesOptions } from '../servers/pages.ts'
import { readArguments } from './arguments.ts'
import { type Contestant, contestants } from './contestants.ts'
import type { Course, Measurement } from './measure.ts'
import { tableOf } from './results.ts'
import { pathOf, runProgram } from './runProgram.ts'

const { pairs, pageSizes, quick } = readArguments(process.argv.slice(2))
for (const recordsPerPage of pageSizes) await race(recordsPerPage)
console.log(await runProgram('machine.ts', quick ? ['--quick'] : [], ['--expose-gc']))
if (quick) console.log('A quick run: the figures are not to be quoted.')

/** Lets every contestant consume the same stream, round after round, and prints the table of medians. */
async function race(recordsPerPage: number): Promise<void> {
  const stream: PagesOptions = { shards: 4, recordsPerShard: quick ? 10_000 : 100_000, recordsPerPage, bytesPerRecord: 200, end: 'open' }
  const { shards, recordsPerShard, bytesPerRecord } = stream
  const { server, endpoints } = await startServer(stream)
  try {
    console.log(`${shards} shards of ${recordsPerShard} records of ${bytesPerRecord} bytes, ${recordsPerPage} a page; ${pairs} pairs`)
    const rounds: ReadonlyMap<Contestant, Measurement[]> = new Map(contestants.map((contestant) => [contestant, []]))
    for (let pair = 0; pair < pairs; pair += 1) {
      // Every other pair runs in reverse, so that nobody always has the warmer machine.
      for (const contestant of pair % 2 === 0 ? contestants : contestants.toReversed()) {
        const { program, transport } = contestant
        const course: Course = { endpoint: endpoints[transport], transport, records: shards * recordsPerShard, recordsPerPage }
        rounds.get(contestant)?.push(JSON.parse(await runProgram(program, [JSON.stringify(course)])) as Measurement)
      }
    }
    console.log(`${tableOf([...rounds].map(([{ name }, measured]) => ({ name, rounds: measured })))}\n`)
  } finally {
    server.disconnect()
  }
}

type Endpoints = Readonly<Record<Contestant['transport'], string>>

async function startServer(stream: PagesOptions): Promise<{ server: ChildProcess; endpoints: Endpoints }> {
  const server = fork(pathOf('../servers/pagesServerProcess.ts'), [JSON.stringify(stream)])
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`pages server: ended with ${String(code)} before it was ready`)
  })
  const [endpoints] = (await Promise.race([once(server, 'message'), ended])) as [Endpoints]
  ended.catch(() => undefined)
  return { server, endpoints }
}

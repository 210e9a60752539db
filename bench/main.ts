import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { PagesOptions } from '../servers/pages.ts'
import { readArguments } from './arguments.ts'
import { type Contestant, contestants } from './contestants.ts'
import type { Course, Measurement } from './measure.ts'
import { tableOf } from './results.ts'

const { pairs, recordsPerPage, quick } = readArguments(process.argv.slice(2))
const stream: PagesOptions = { shards: 4, recordsPerShard: quick ? 10_000 : 100_000, recordsPerPage, bytesPerRecord: 200, end: 'open' }
const records = stream.shards * stream.recordsPerShard

const { server, endpoints } = await startServer()
try {
  console.log(
    `${stream.shards} shards of ${stream.recordsPerShard} records of ${stream.bytesPerRecord} bytes, ${recordsPerPage} a page; ${pairs} pairs`,
  )
  const rounds: ReadonlyMap<Contestant, Measurement[]> = new Map(contestants.map((contestant) => [contestant, []]))
  for (let pair = 0; pair < pairs; pair += 1) {
    // Every other pair runs in reverse, so that nobody always has the warmer machine.
    for (const contestant of pair % 2 === 0 ? contestants : contestants.toReversed()) {
      rounds.get(contestant)?.push(await run(contestant))
    }
  }
  console.log(tableOf([...rounds].map(([{ name }, measured]) => ({ name, rounds: measured }))))
  if (quick) console.log('A quick run: the figures are those of a cold process, not to be quoted.')
} finally {
  server.disconnect()
}

async function startServer(): Promise<{ server: ChildProcess; endpoints: Readonly<Record<Contestant['transport'], string>> }> {
  const server = fork(pathOf('../servers/pagesServerProcess.ts'), [JSON.stringify(stream)])
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`pages server: ended with ${String(code)} before it was ready`)
  })
  const [endpoints] = (await Promise.race([once(server, 'message'), ended])) as [Record<Contestant['transport'], string>]
  ended.catch(() => undefined)
  return { server, endpoints }
}

/** Each measurement has a process of its own: no contestant warms up or litters the heap for the next. */
async function run({ name, program, transport }: Contestant): Promise<Measurement> {
  const course: Course = { endpoint: endpoints[transport], transport, records, recordsPerPage }
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, pathOf(program), JSON.stringify(course)], {
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  const measurement = JSON.parse(stdout) as Measurement
  console.log(`${name}: ${Math.round(measurement.records / (measurement.wallMs / 1_000)).toLocaleString('en')} records/s`)
  return measurement
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

import type { Contestant } from './contestants.ts'

/** What one contestant is to consume, once. */
export interface Course {
  readonly endpoint: string
  readonly client: Contestant['client']
  /** All records of the stream. */
  readonly records: number
  /** The `Limit` of GetRecords. */
  readonly recordsPerPage: number
}

/** What it took. */
export interface Measurement {
  readonly records: number
  readonly wallMs: number
  /** User and system time of the contestant's process, microseconds. */
  readonly cpuMicros: number
}

/**
 * Runs a contestant in this process and prints its measurement as JSON. `prepare` gets the course from the first argument of the process; what it returns
 * is run twice, and measured the second time, when the code is warm, from the first request to the last record. @throws Error when it did not see
 * every record.
 */
export async function measure(prepare: (course: Course) => () => Promise<number>): Promise<void> {
  const course = JSON.parse(process.argv[2] ?? '') as Course
  await prepare(course)()
  const consume = prepare(course)
  const cpuBefore = process.cpuUsage()
  const startedMs = performance.now()
  const records = await consume()
  const wallMs = performance.now() - startedMs
  const { user, system } = process.cpuUsage(cpuBefore)
  if (records !== course.records) throw new Error(`records: expected ${course.records}, got ${records}`)
  const measurement: Measurement = { records, wallMs, cpuMicros: user + system }
  console.log(JSON.stringify(measurement))
}

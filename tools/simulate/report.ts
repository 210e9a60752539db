import type { SimulationReport, Violation } from '@shardwise/testing'

/** What happened in a simulation, and how fast it went. `tookMs` is of the processor. */
export function summary(report: SimulationReport, tookMs: number): string {
  const { plan, virtualMs, steps, records, deliveries, redeliveries, leasesTaken, injected } = report
  const happened = Object.entries(injected)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `  ${name.padEnd(18)}${count}`)
  return [
    `seed ${plan.seed}, ${plan.leaseMode}: ${plan.workers} workers, ${plan.shards} shards, ${hours(plan.durationMs)} h of faults, ${hours(virtualMs)} h until it was stopped`,
    `${steps} steps; ${records} records, ${deliveries} deliveries, ${redeliveries} of them not the first; ${leasesTaken} times a lease was taken`,
    ...happened,
    `${(tookMs / 1_000).toFixed(1)} s of the processor: ${speed(virtualMs, tookMs)} virtual hours per second`,
  ].join('\n')
}

/** Virtual hours per second of the processor. */
export const speed = (virtualMs: number, tookMs: number): string => (virtualMs / 3_600 / Math.max(tookMs, 1)).toFixed(3)

/** What was violated, the lines of the transcript that concern it, and how it is run again. */
export function failure({ violations, transcript, plan }: SimulationReport): string {
  const [violation] = violations
  if (violation === undefined) return ''
  const { leaseKey } = violation
  const concerned = transcript.filter((line) => line.includes(' * ') || leaseKey === null || line.includes(leaseKey)).slice(-120)
  return [...concerned, '', ...violations.map(violationLine), '', `npm run simulate -- --plan '${JSON.stringify(plan)}'`].join('\n')
}

/** What was violated, and when. */
export const violationLine = ({ rule, atMs, leaseKey, message }: Violation): string =>
  `${rule} violated after ${(atMs / 1_000).toFixed(3)} s${leaseKey === null ? '' : `, ${leaseKey}`}: ${message}`

const hours = (ms: number): string => (ms / 3_600_000).toFixed(2)

/** How many milliseconds the processor worked for this process. */
export function processorMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1_000
}

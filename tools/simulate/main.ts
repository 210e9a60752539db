import { parseArgs } from 'node:util'
import { minimize, type Plan, type SimulationOptions, simulate } from '@shardwise/testing'
import { failure, processorMs, summary, violationLine } from './report.ts'

const usage =
  'npm run simulate -- --seed N [--lease-mode kcl|workerHeartbeat] [--workers 3] [--shards 4] [--hours 1] [--records-per-second 5] [--no-faults], or --plan JSON'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    'lease-mode': { type: 'string' },
    workers: { type: 'string' },
    shards: { type: 'string' },
    hours: { type: 'string' },
    'records-per-second': { type: 'string' },
    'no-faults': { type: 'boolean' },
    plan: { type: 'string' },
    help: { type: 'boolean' },
  },
})

function optionsOf(): SimulationOptions {
  if (values.plan !== undefined) return JSON.parse(values.plan) as Plan
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))
  const hours = number(values.hours ?? '1') ?? 1
  return {
    seed: number(values.seed) ?? 1,
    leaseMode: values['lease-mode'] as SimulationOptions['leaseMode'],
    workers: number(values.workers),
    shards: number(values.shards),
    durationMs: Math.round(hours * 3_600_000),
    recordsPerSecond: number(values['records-per-second']),
    faults: values['no-faults'] !== true,
  }
}

if (values.help === true) console.log(usage)
else {
  const options = optionsOf()
  const since = process.cpuUsage()
  const report = await simulate(options)
  console.log(summary(report, processorMs(since)))
  if (report.violations.length > 0) {
    process.exitCode = 1
    for (const violation of report.violations) console.log(violationLine(violation))
    console.log(failure(values.plan === undefined ? await minimize(options) : await simulate({ ...options, transcriptLines: 400 })))
  }
}

import { type FaultRates, noFaults, type Plan } from './plan.ts'
import { type SimulationOptions, type SimulationReport, simulate } from './simulate.ts'

/** How often a smaller plan is tried at most, and how many steps that may take. */
const mostRuns = 80
const mostSteps = 3_000_000

/**
 * Makes a failing simulation smaller, with the same seed: shorter, with fewer operations, kinds of faults, workers, shards and records, as long as the same rule
 * is violated. Answers with the report of the smallest, with a transcript of what concerns the violated lease.
 * @throws Error when nothing is violated.
 */
export async function minimize(options: SimulationOptions): Promise<SimulationReport> {
  const first = await simulate(options)
  const violation = first.violations[0]
  if (violation === undefined)
    throw new Error(`seed: expected one whose simulation violates a rule, got ${options.seed}, which violates none`)
  let [runs, steps] = [0, 0]
  let best = first
  /** Keeps a smaller plan that fails in the same way. */
  const tries = async (change: Partial<Plan>): Promise<boolean> => {
    if (runs >= mostRuns || steps >= mostSteps) return false
    runs += 1
    const report = await simulate({ ...options, ...best.plan, ...change, transcriptLines: 0 })
    steps += report.steps
    if (report.violations[0]?.rule !== violation.rule) return false
    best = report
    return true
  }

  if (violation.atMs < first.plan.durationMs) await tries({ durationMs: Math.ceil(violation.atMs) + 1 })
  const { durationMs } = best.plan
  await tries({ operations: best.plan.operations.filter(({ atMs }) => atMs < durationMs) })
  if (!(await tries({ operations: [] }))) await fewerOperations(() => best.plan, tries)
  if (!(await tries({ faults: noFaults }))) {
    for (const name of Object.keys(noFaults) as (keyof FaultRates)[]) {
      if (best.plan.faults[name] > 0) await tries({ faults: { ...best.plan.faults, [name]: 0 } })
    }
  }
  for (const name of ['workers', 'shards', 'recordsPerSecond'] as const) {
    for (let less = Math.floor(best.plan[name] / 2); less >= 1 && (await tries({ [name]: less })); less = Math.floor(less / 2));
  }
  return simulate({ ...options, ...best.plan, transcriptLines: options.transcriptLines ?? 400 })
}

/** Leaves out halves of the operations, then quarters, and so on down to single ones. */
async function fewerOperations(plan: () => Plan, tries: (change: Partial<Plan>) => Promise<boolean>): Promise<void> {
  for (let size = Math.ceil(plan().operations.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < plan().operations.length; ) {
      const { operations } = plan()
      const without = [...operations.slice(0, from), ...operations.slice(from + size)]
      if (!(await tries({ operations: without }))) from += size
    }
  }
}

import type { ContractCase } from '../contractCase.ts'
import { abortCases, closeAbortsCases } from './abortCases.ts'
import { answerCases } from './answerCases.ts'
import type { Bench } from './bench.ts'
import { ConsumerBench } from './consumer.ts'
import {
  consumerAbortCases,
  consumerCloseAbortsCases,
  consumerCloseCases,
  consumerCloseDoneCases,
  consumerEndCases,
  consumerObserverCases,
  consumerObserverEndCases,
  consumerRestoreCases,
} from './consumerCapabilityCases.ts'
import { consumerCases } from './consumerCases.ts'
import { closeCases, closeDoneCases, doneCases, endCases, restoredDoneCases } from './endCases.ts'
import { observerCases, observerEndCases, restoreCases } from './observerCases.ts'
import { orderCases } from './orderCases.ts'
import { type Capability, checkRuntime, lackOf, type Runtime } from './runtime.ts'
import { ScriptedBench } from './scripted.ts'

/** A case of the conformance suite. */
export interface ConformanceCase extends ContractCase {
  /** Why the case is left out, which its name says as well; null when it is run. `run` of a case that is left out does nothing. */
  readonly leftOut: string | null
}

type Cases<B> = Readonly<Record<string, (bench: B, runtime: Runtime) => Promise<void>>>
type Group<B> = readonly [needs: readonly Capability[], cases: Cases<B>]

const scriptedGroups: readonly Group<ScriptedBench>[] = [
  [[], orderCases],
  [[], answerCases],
  [[], endCases],
  [['aborts'], abortCases],
  [['ends'], doneCases],
  [['observes'], observerCases],
  [['observes', 'ends'], observerEndCases],
  [['restores'], restoreCases],
  [['restores', 'ends'], restoredDoneCases],
  [['closes'], closeCases],
  [['closes', 'aborts'], closeAbortsCases],
  [['closes', 'ends'], closeDoneCases],
]

const consumerGroups: readonly Group<ConsumerBench>[] = [
  [[], consumerCases],
  [['aborts'], consumerAbortCases],
  [['ends'], consumerEndCases],
  [['observes'], consumerObserverCases],
  [['observes', 'ends'], consumerObserverEndCases],
  [['closes'], consumerCloseCases],
  [['closes', 'aborts'], consumerCloseAbortsCases],
  [['closes', 'ends'], consumerCloseDoneCases],
  [['restores'], consumerRestoreCases],
]

/**
 * The law of the driver, as cases to hold your own embedding of the machine to: a loop, an actor system, a function that keeps its snapshots as JSON. Cases that
 * need what the runtime does not say that it can are left out, and their names say so. @throws Error that names what is wrong with the runtime.
 */
export function conformance(runtime: Runtime): readonly ConformanceCase[] {
  checkRuntime(runtime)
  const scripted = scriptedGroups.map(([needs, cases]): Group<ScriptedBench> => [['anyMachine', ...needs], cases])
  return [
    ...casesOf(runtime, scripted, () => new ScriptedBench(runtime)),
    ...casesOf(runtime, consumerGroups, () => new ConsumerBench(runtime)),
  ]
}

function casesOf<B extends Bench>(runtime: Runtime, groups: readonly Group<B>[], make: () => B): readonly ConformanceCase[] {
  return groups.flatMap(([needs, cases]) => {
    const leftOut = lackOf(runtime, needs)
    return Object.entries(cases).map(([name, body]) =>
      leftOut === null
        ? { name, leftOut, run: () => runOn(make(), (bench) => body(bench, runtime)) }
        : { name: `${name} (left out: ${leftOut})`, leftOut, run: async () => {} },
    )
  })
}

async function runOn<B extends Bench>(bench: B, body: (bench: B) => Promise<void>): Promise<void> {
  try {
    await body(bench)
  } catch (cause) {
    const { impatience } = bench
    if (impatience === null || !(cause instanceof Error)) throw cause
    throw new Error(`${cause.message}; ${impatience}`, { cause })
  }
}

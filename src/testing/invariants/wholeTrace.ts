import { shown } from '@shardwise/effects'
import { anObject, aText, either, expectMembers, type Rules } from '../rules.ts'
import { expectInput, type Trace, type TraceStep } from '../trace.ts'

/** @throws Error that names what a trace has not got. */
export function expectWhole(trace: Trace): void {
  if (typeof trace !== 'object' || trace === null) throw new Error(`trace: expected { input, steps }, got ${String(trace)}`)
  expectInput(trace.input)
  if (!Array.isArray(trace.steps)) throw new Error(`steps: expected those of a trace from its start on, got ${String(trace.steps)}`)
  if (trace.steps.length === 0) return
  const { event, before } = Object(trace.steps[0]) as Partial<TraceStep>
  if (event !== null || before !== null)
    throw new Error(`steps[0]: expected the start, whose event and before are null, got ${event?.type ?? shown(trace.steps[0])}`)
}

const isNamed = (effect: unknown): boolean => typeof (Object(effect) as { readonly type?: unknown }).type === 'string'
const firstRules: Rules = {
  after: anObject,
  effects: ['a list of effects', (value) => Array.isArray(value) && value.every((effect) => isNamed(effect))],
}
const laterRules: Rules = { ...firstRules, event: anObject, before: anObject }
const snapshotRules: Rules = { value: either(aText, anObject), context: anObject, status: aText }

/** @throws Error that names the member of a step that is missing or wrong. */
export function expectSteps({ steps }: Trace): void {
  for (const [index, step] of steps.entries()) expectStep(`steps[${index}]`, step, index === 0)
}

function expectStep(what: string, step: TraceStep, isFirst: boolean): void {
  expectMembers(what, step, isFirst ? firstRules : laterRules)
  expectMembers(`${what}.after`, step.after, snapshotRules)
  if (step.before !== null) expectMembers(`${what}.before`, step.before, snapshotRules)
  if (step.event !== null) expectMembers(`${what}.event`, step.event, { type: aText })
}

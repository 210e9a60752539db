export { type ConformanceCase, conformance } from './conformance/conformance.ts'
export type { Capability, RunningMachine, Runtime, RuntimeSetup } from './conformance/runtime.ts'
export type { ContractCase } from './contractCase.ts'
export type { ProcessorSurroundings } from './fleet/flakyProcessor.ts'
export type { Violation } from './fleet/ledger.ts'
export { minimize } from './fleet/minimize.ts'
export type { FaultRates, FleetOperation, Plan } from './fleet/plan.ts'
export { type SimulationOptions, type SimulationReport, simulate } from './fleet/simulate.ts'
export type { Invariant } from './invariants/invariant.ts'
export { invariants } from './invariants/invariants.ts'
export { type LeaseTableFixture, leaseTableContract } from './leaseTableContract.ts'
export { type Life, type LivesOptions, live, lives } from './lives/lives.ts'
export type { Operation } from './lives/operations.ts'
export type { WorldPlan } from './lives/shardWorld.ts'
export { type ConsumerGraph, consumerGraph, type Edge, type GraphState, pathInputs } from './paths/consumerGraph.ts'
export { type Path, type PathStep, paths, pathsOf, shortestPaths } from './paths/paths.ts'
export { type PathRuntime, pureRuntime, replayPath } from './paths/replayPath.ts'
export { TransitionRecorder } from './paths/transitionRecorder.ts'
export {
  type Aggregate,
  aggregateContract,
  type MakeRecordSource,
  type PutRecord,
  type RecordSourceFixture,
  recordSourceContract,
  shardFilterContract,
} from './recordSourceContract.ts'
export { type Engine, type Trace, type TraceStep, traceOf } from './trace.ts'

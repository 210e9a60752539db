import { callbackInvariants } from './callbackInvariants.ts'
import { checkpointInvariants } from './checkpointInvariants.ts'
import { deliveryInvariants } from './deliveryInvariants.ts'
import type { Invariant } from './invariant.ts'
import { livenessInvariants } from './livenessInvariants.ts'
import { ownerInvariants } from './ownerInvariants.ts'
import { reasonInvariants } from './reasonInvariants.ts'
import { sourceInvariants } from './sourceInvariants.ts'
import { stateInvariants } from './stateInvariants.ts'
import { taskInvariants } from './taskInvariants.ts'

/** What holds in every trace of a shard consumer that begins with its start, by number: 1 to 70 say what the KCL means to do, those from 71 what this machine adds. */
export const invariants: readonly Invariant[] = [
  ...stateInvariants,
  ...reasonInvariants,
  ...taskInvariants,
  ...callbackInvariants,
  ...checkpointInvariants,
  ...deliveryInvariants,
  ...sourceInvariants,
  ...ownerInvariants,
  ...livenessInvariants,
].toSorted((a, b) => a.number - b.number)

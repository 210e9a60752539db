import { unexpected } from './shown.ts'

/** Why a shard consumer is shut down. Source: KCL `ShutdownReason`. */
export type ShutdownReason = 'REQUESTED' | 'SHARD_END' | 'LEASE_LOST'

const ranks: Readonly<Record<ShutdownReason, number>> = { REQUESTED: 1, SHARD_END: 2, LEASE_LOST: 3 }

/** LEASE_LOST outranks SHARD_END, for the checkpoint at the end of the shard can no longer be saved; both outrank REQUESTED. */
export function rankOf(reason: ShutdownReason): number {
  return ranks[reason]
}

/** The higher of two reasons: a recorded reason only rises. */
export function higherReason(a: ShutdownReason | null, b: ShutdownReason): ShutdownReason {
  return a !== null && rankOf(a) >= rankOf(b) ? a : b
}

/** Reads the name of a shutdown reason. @throws Error for an unknown one. */
export function parseShutdownReason(reason: string): ShutdownReason {
  if (typeof reason !== 'string' || !Object.hasOwn(ranks, reason)) {
    throw unexpected('reason', 'REQUESTED, SHARD_END or LEASE_LOST', reason)
  }
  return reason as ShutdownReason
}

import type { ShardId } from '@shardwise/effects'
import { kclError } from '../kclError.ts'
import { thrownFacts } from '../thrownFacts.ts'

/** What to throw for several failures: the only one, or an AggregateError whose message names them all. */
export function oneOf(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0]
  const told = failures.map(thrownFacts).map(({ name, message }) => `${name}: ${message}`)
  return new AggregateError(failures, `${failures.length} failures: ${told.join('; ')}`)
}

/** The error of work that is left because the lease is lost. */
export function leaseLostError(shardId: ShardId): Error {
  return kclError({ name: 'ShutdownException', message: `${shardId}: the lease is lost, so no further record is handled` })
}

/** Whether the lease was lost during the callback. A runtime without AbortController tells nobody, and asking for the signal would throw there. */
export function leaseIsLost(callback: { readonly signal: { readonly aborted: boolean } }): boolean {
  return 'AbortController' in globalThis && callback.signal.aborted
}

import type { ErrorFacts } from '@shardwise/effects'
import { backoffMs } from './backoff.ts'
import type { CoordinatorEffect, CoordinatorState } from './coordinatorState.ts'
import { type Ask, Draft } from './draft.ts'

const retryBaseMs = 500
const retryCapMs = 10_000

/** Failures of the AWS clients and adapters that no repetition mends. */
export const permanent: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidLease',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotALeaseTable',
  'OptInRequired',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'ValidationException',
])

/** A step of the coordinator: beside its effects, the one call or timer that leads on. */
export class CoordinatorDraft extends Draft<CoordinatorState, CoordinatorEffect> {
  await(ask: Ask<NonNullable<CoordinatorState['awaited']>>): void {
    this.set({ awaited: this.ask(ask) })
  }

  after(delayMs: number, next: CoordinatorState['next']): void {
    this.set({ next })
    this.await({ type: 'startTimer', delayMs })
  }
}

/** Ends every lease that is kept, in order or at once, and asks for nothing new. */
export function stop(draft: CoordinatorDraft, forced: boolean): void {
  const { awaited, kept } = draft.state
  const force = forced || draft.state.force
  if (awaited !== null) draft.effects.push({ type: 'cancel', id: awaited.id })
  draft.set({ phase: 'stopping', awaited: null, queue: [], force })
  for (const leaseKey of kept) draft.effects.push({ type: 'stopKeeping', leaseKey, force })
}

/** Ends everything: the failure is what the owner hears. */
export function fail(draft: CoordinatorDraft, failure: ErrorFacts): void {
  draft.set({ failure: draft.state.failure ?? failure })
  stop(draft, false)
}

/** Ends everything, for another process uses the id of this worker. */
export function failShared(draft: CoordinatorDraft): void {
  const message = `workerId: expected an id of its own for each worker, got ${JSON.stringify(draft.state.options.workerId)}, which another process uses, too`
  fail(draft, { name: 'WorkerIdShared', message })
}

/** Lists the leases at once, or once more after the listing that is out. A backoff goes on. */
export function listSoon(draft: CoordinatorDraft): void {
  const { awaited, attempts } = draft.state
  if (awaited?.type === 'listLeases') draft.set({ listAgain: true })
  else if (awaited !== null && attempts === 0) {
    draft.effects.push({ type: 'cancel', id: awaited.id })
    draft.await({ type: 'listLeases' })
  }
}

/** Tries again after a backoff; where that is bounded, only so often. */
export function retry(
  draft: CoordinatorDraft,
  next: CoordinatorState['next'],
  error: ErrorFacts,
  isBounded = draft.state.phase !== 'running',
): void {
  const { attempts, options } = draft.state
  draft.set({ attempts: attempts + 1 })
  if (isBounded && attempts + 1 >= options.maxInitializationAttempts) fail(draft, error)
  else draft.after(backoffMs(attempts + 1, options.seed, retryBaseMs, retryCapMs), next)
}

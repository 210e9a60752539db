import type { AnswerBody, EffectOf } from '@shardwise/effects'
import { rowAfter } from './counterUpdate.ts'
import { isConditionFailed, type LeaseRows } from './leaseRows.ts'

/**
 * Names the worker as the next owner of a lease, in the shape of a hand-off of the KCL 3: the present owner may still checkpoint, and the counter stays.
 * `nextOwner` is beside the KCL's attributes: it tells a hand-off that stands from one that a worker of the KCL 2 took the lease out of.
 */
export async function requestHandoff(
  rows: LeaseRows,
  { leaseKey, leaseOwner, workerId }: EffectOf<'requestHandoff'>,
): Promise<AnswerBody<'requestHandoff'>> {
  try {
    await rows.update({
      leaseKey,
      // An owner of checkpoints that a worker of the KCL 2 left behind is no hand-off: see `checkpointOwnerIn`.
      condition: 'leaseOwner = :owner AND (attribute_not_exists(checkpointOwner) OR (attribute_exists(nextOwner) AND nextOwner <> :owner))',
      update: 'SET leaseOwner = :next, checkpointOwner = :owner, nextOwner = :next',
      values: { ':owner': { S: leaseOwner }, ':next': { S: workerId } },
    })
    return { type: 'handoffRequested' }
  } catch (error) {
    if (!isConditionFailed(error)) throw error
    // The client may have sent it twice: then the first one stands.
    const row = await rowAfter(rows, leaseKey, error)
    const stands = row?.leaseOwner === workerId && row.checkpointOwner === leaseOwner
    return { type: stands ? 'handoffRequested' : 'handoffRefused' }
  }
}

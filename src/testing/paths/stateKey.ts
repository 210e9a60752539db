/**
 * What tells two states of a shard consumer apart, for one set of options. Two snapshots with one key take every event to one next key, and ask for the
 * same effects once ids, positions and backoffs are renumbered; the tests compare them over all that a walk reaches.
 *
 * - Ids, batch ids, times and the numbers of records are left out; of positions, only their order counts.
 * - What follows from the other facts is left out, so that each fact is one that would be missed.
 * - Counts of attempts are capped where no guard tells higher ones apart.
 * - A fact that nothing reads any more is left out. Once a shutdown is pending in PROCESSING, the next answer leaves that state, so what failed before no
 *   longer counts; once the lease is lost, nothing is checkpointed, so places no longer count; once the shard is closed, neither do its children.
 */
import { compareSequenceNumbers, type ExtendedSequenceNumber, isSentinel, isShardEnd } from '@shardwise/effects'
import type { ShardConsumerContext, ShardConsumerSnapshot, ShardEffect } from '@shardwise/machine'

type Place = ExtendedSequenceNumber | null

/** The facts that make the key, by name. */
export type StateFacts = Readonly<Record<string, unknown>>

/** What has to be equal for two snapshots to be one state. */
export function factsOf({ value, context, status }: ShardConsumerSnapshot): StateFacts {
  const { batch, whole, write, completed, checkpoint } = context
  if (status === 'done') return { value, asked: context.shutdownAsked, outcome: context.outcome }
  const [state, subState] = typeof value === 'string' ? [value, ''] : (Object.entries(value)[0] ?? ['', ''])
  const places = placesOf(context)
  const scale = scaleOf(places)
  const lost = context.reason === 'LEASE_LOST'
  const goesOn = state === 'PROCESSING' && context.reason === null
  const counts = goesOn || state === 'SHUTTING_DOWN'
  const remembersWork = counts && (subState === 'backingOff' || subState === 'awaitingCheckpoint')
  const closes = subState === 'closing' || subState === 'draining' || context.resume === 'closeShard'
  return {
    value,
    reason: context.reason,
    asked: context.shutdownAsked,
    stopAsked: context.reason === 'SHARD_END' && !closes && context.stopRequested,
    paused: isPaused(context),
    awaited: [context.task?.type ?? null, write?.effect.type ?? null],
    attempt: counts ? Math.min(context.attempt, leastCappedAttempt(context)) : 0,
    batchFailures: goesOn && batch !== null ? Math.min(context.batchFailures, context.options.maxDeliveryAttempts ?? 1) : 0,
    isAging: goesOn && context.failingSinceMs !== null,
    isInParts: whole !== null,
    gaveUp: context.gaveUp !== null,
    ofBatches: goesOn
      ? [batch, whole].map(
          (each) => each !== null && [Math.min(each.count, 2), each.millisBehindLatest === 0, each.atShardEnd, each.childShards.length > 0],
        )
      : null,
    suspects: goesOn && whole !== null ? context.suspects - (batch?.count ?? 0) : 0,
    resume: remembersWork ? context.resume : null,
    initialized: context.initialized,
    places: places.map((place) => rankIn(scale, place)),
    shardEndIn: [checkpoint, write?.checkpoint ?? null].map((place) => place !== null && isShardEnd(place)),
    completed: goesOn ? (completed === null ? null : checkpoint !== null && compareSequenceNumbers(completed, checkpoint) < 0) : null,
    batchAtEnd: !lost && batch?.atShardEnd === true,
    endFound: !context.initialized && context.atShardEnd,
    childrenKnown: !lost && !closes && (context.childShards?.length ?? 0) > 0,
    processorDone: context.processorDone,
    writeAttempt: write?.attempt ?? null,
  }
}

/** Whether a batch would be held: once the shard consumer is to end, nobody asks any more. */
export function isPaused({ paused, reason, replay }: ShardConsumerContext): boolean {
  return paused && reason === null && !replay
}

/** The key of a snapshot. Keys of consumers with other options are not to be compared. */
export function keyOf(snapshot: ShardConsumerSnapshot): string {
  return JSON.stringify(Object.values(factsOf(snapshot)))
}

/** The count of failures from which no guard asks how many there were. */
function leastCappedAttempt({ options }: ShardConsumerContext): number {
  return Math.max(1, options.maxShutdownAttempts - 1)
}

/** The places whose order decides: the checkpoint, the last record that may be checkpointed, the ends of the batch, and what is being written or waits to be. */
function placesOf({ reason, checkpoint, completed, batch, whole, write, waiting }: ShardConsumerContext): readonly Place[] {
  if (reason === 'LEASE_LOST') return []
  const delivered =
    completed === null || (checkpoint !== null && compareSequenceNumbers(checkpoint, completed) >= 0) ? checkpoint : completed
  const ends = [batch?.first ?? null, batch?.last ?? null, whole?.first ?? null, whole?.last ?? null]
  const requested = waiting.map((request) => request.checkpoint)
  return [checkpoint, delivered, ...ends, write?.checkpoint ?? null, ...requested]
}

/** The records among places, each once and in their order. */
function scaleOf(places: readonly Place[]): readonly ExtendedSequenceNumber[] {
  const records: ExtendedSequenceNumber[] = []
  for (const place of places) {
    if (place !== null && !isSentinel(place.sequenceNumber) && !records.some((other) => isSame(other, place))) records.push(place)
  }
  return records.length < 2 ? records : records.sort(compareSequenceNumbers)
}

/** Sentinels stay as they are; a record becomes the number of those in the scale below it, and a half less where it is not there itself. */
function rankIn(scale: readonly ExtendedSequenceNumber[], place: Place): string | number | null {
  if (place === null) return null
  const same = scale.findIndex((other) => isSame(other, place))
  if (same !== -1) return same
  if (isSentinel(place.sequenceNumber)) return place.sequenceNumber
  const above = scale.findIndex((other) => compareSequenceNumbers(other, place) > 0)
  return (above === -1 ? scale.length : above) - 0.5
}

/** Nearly all places are the very text of others: most need no numbers. */
const isSame = (a: ExtendedSequenceNumber, b: ExtendedSequenceNumber): boolean =>
  a === b || (a.sequenceNumber === b.sequenceNumber && a.subSequenceNumber === b.subSequenceNumber)

/**
 * The effects of a step as text that is the same wherever the same is asked for: ids and batch ids in the order of their appearance, positions by their
 * order among those of the state that was reached, and backoffs, the times of openings and the numbers in messages by their kind.
 */
export function renumbered(effects: readonly ShardEffect[], { value, context }: ShardConsumerSnapshot): string {
  if (effects.length === 0) return '[]'
  const scale = scaleOf(placesOf(context))
  const ids: unknown[] = []
  const numberOf = (id: unknown): number => (ids.includes(id) ? ids.indexOf(id) : ids.push(id) - 1)
  const isBackingOff = typeof value === 'object' && Object.values(value).includes('backingOff')
  const backsOff = (effect: ShardEffect): boolean =>
    effect.type === 'startTimer' && (isBackingOff || effect.id === context.write?.effect.id)
  const cap = leastCappedAttempt(context)
  const kindOf = (name: string, content: unknown): unknown => {
    if (name === 'id' || name === 'batchId' || name === 'request') return numberOf(content)
    if (name === 'attempts') return 'a number'
    if (name === 'attempt') return Math.min(content as number, cap)
    if (name === 'timestampMs') return 'a time'
    if (name === 'message') return String(content).replaceAll(/[0-9]{4,}/g, 'a number')
    if (name !== 'sequenceNumber') return content
    return rankIn(scale, { sequenceNumber: content as string, subSequenceNumber: 0 })
  }
  return textOf(
    effects.map((effect) => (backsOff(effect) ? { ...effect, delayMs: 'a backoff' } : effect)),
    kindOf,
  )
}

/** A value as text that other values do not have, as that of JSON, which takes several times as long where each field has a kind. */
function textOf(content: unknown, kindOf: (name: string, content: unknown) => unknown = same): string {
  if (typeof content === 'string') return JSON.stringify(content)
  if (typeof content !== 'object' || content === null) return String(content)
  let text = ''
  if (Array.isArray(content)) {
    for (const each of content) text += `${textOf(each, kindOf)},`
    return `[${text}]`
  }
  for (const [name, each] of Object.entries(content)) text += `${name}:${textOf(kindOf(name, each), kindOf)},`
  return `{${text}}`
}

const same = (_: string, content: unknown): unknown => content

import type { BatchHandle, ChildShard, ErrorFacts, ExtendedSequenceNumber, Position } from '@shardwise/effects'
import type { ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'

/** Writes a sequence number, shortened where that leaves no doubt which one it is. */
export type SequenceNumberText = (sequenceNumber: string) => string

/** What is the same in every effect of a consumer, or a setting of it, tells no story. */
const untold = new Set(['type', 'id', 'shardId', 'leaseKey', 'token', 'maxRecords', 'prefetch', 'pendingCheckpoint'])

/** The words of the transcript for fields whose own names say less. */
const words: Readonly<Record<string, string>> = {
  checkpoint: 'at',
  position: 'from',
  batchId: 'batch',
  delayMs: 'delay',
  parentShardIds: 'parents',
  childShards: 'children',
}

/** The state with its sub-state. */
export function stateText({ value }: ShardConsumerSnapshot): string {
  return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
}

/** An event or an effect in one line: its type, its id, and what is particular to it. */
export function factsOf(told: ShardEvent | ShardEffect, shorten: SequenceNumberText): string {
  const id = 'id' in told ? [`#${told.id}`] : []
  const facts = Object.entries(told).flatMap(([name, value]) => (untold.has(name) ? [] : factOf(told.type, name, value as Fact, shorten)))
  return [told.type, ...id, ...facts].join(' ')
}

type Fact =
  | string
  | number
  | null
  | ExtendedSequenceNumber
  | Position
  | BatchHandle
  | ErrorFacts
  | readonly ChildShard[]
  | readonly string[]

function factOf(type: string, name: string, value: Fact, shorten: SequenceNumberText): readonly string[] {
  const word = type === 'checkpointRequested' && name === 'position' ? 'at' : (words[name] ?? name)
  if (
    value === null ||
    (name === 'parentShardIds' && Array.isArray(value) && value.length === 0) ||
    (name === 'attempt' && value === 0) ||
    name === 'nowMs'
  )
    return []
  if (name === 'delayMs') return [`delay=${String(value)}ms`]
  if (name === 'openedAtMs') return [`at=${new Date(Number(value)).toISOString()}`]
  if (typeof value !== 'object') return [`${word}=${value}`]
  if ('batchId' in value) return type === 'recordsRead' ? batchFacts(value, shorten) : [`batch=${value.batchId}`]
  if ('name' in value) return [`${word}=${value.name}`]
  if (Array.isArray(value))
    return [`${word}=${value.map((item: ChildShard | string) => (typeof item === 'string' ? item : item.shardId)).join(',') || 'none'}`]
  return [`${word}=${placeText(value as ExtendedSequenceNumber | Position, shorten)}`]
}

function batchFacts(batch: BatchHandle, shorten: SequenceNumberText): readonly string[] {
  const { batchId, count, last, millisBehindLatest, atShardEnd, childShards } = batch
  return [
    `batch=${batchId}`,
    `count=${count}`,
    ...(last === null ? [] : [`last=${placeText(last, shorten)}`]),
    ...(millisBehindLatest === null ? [] : [`behind=${millisBehindLatest}ms`]),
    ...(atShardEnd ? ['atShardEnd', `children=${childShards.map(({ shardId }) => shardId).join(',') || 'none'}`] : []),
  ]
}

function placeText(place: ExtendedSequenceNumber | Position, shorten: SequenceNumberText): string {
  if ('timestampMs' in place) return `${place.type}/${new Date(place.timestampMs).toISOString()}`
  if ('type' in place) return 'sequenceNumber' in place ? `${place.type}/${shorten(place.sequenceNumber)}` : place.type
  return place.subSequenceNumber === 0 ? shorten(place.sequenceNumber) : `${shorten(place.sequenceNumber)}/${place.subSequenceNumber}`
}

/** Shortens the sequence numbers of a story to their first four and last three digits, unless two of them would look alike. */
export function shortenIn(story: unknown): SequenceNumberText {
  const full = new Set(JSON.stringify(story).match(/[0-9]{20,}/g))
  const short = (digits: string): string => `${digits.slice(0, 4)}…${digits.slice(-3)}`
  const seen = new Map<string, number>()
  for (const digits of full) seen.set(short(digits), (seen.get(short(digits)) ?? 0) + 1)
  return (text) => (/^[0-9]{20,}$/.test(text) && seen.get(short(text)) === 1 ? short(text) : text)
}

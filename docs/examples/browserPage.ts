/** The machine in a page: every click is an event, and nothing else moves. Bundle it with `esbuild browserPage.ts --bundle --outfile=browserPage.js`. */
import { type AnswerType, effectTable, TRIM_HORIZON } from '@shardwise/effects'
import { outstanding, type ShardEffect, type ShardEvent, start, step } from '@shardwise/machine'

/** What the page needs of the DOM. */
type Element = { textContent: string | null; onclick: (() => void) | null; replaceChildren(...children: Element[]): void }
const { document } = globalThis as unknown as {
  readonly document: { getElementById(id: string): Element; createElement(tag: string): Element }
}

const at = { sequenceNumber: '1', subSequenceNumber: 0 }
const batch = { batchId: 'b', count: 1, first: at, last: at, bytes: 9, millisBehindLatest: 0, atShardEnd: false, childShards: [] }
const error = { name: 'Error', message: 'as you wished' }

/** What an answer says beside its type; the others say nothing. */
const contents: Partial<Record<AnswerType, object>> = {
  parentShardsPending: { pendingShardId: 'shardId-000000000009' },
  checkpointRead: { checkpoint: TRIM_HORIZON, pendingCheckpoint: null },
  shardOpened: { openedAtMs: 0 },
  recordsRead: { batch },
  childShardsListed: { childShards: [] },
  timerFired: { nowMs: 0 },
}

const reasons = ['REQUESTED', 'SHARD_END', 'LEASE_LOST'] as const
let [snapshot, effects] = start({ shardId: 'shardId-000000000000', token: 1 })
let transcript = ''

const element = (tag: string, textContent: string, onclick: (() => void) | null = null): Element =>
  Object.assign(document.createElement(tag), { textContent, onclick })
const button = (label: string, event: ShardEvent): Element => element('button', label, () => tell(label, event))
const nameOf = (effect: ShardEffect): string => ('id' in effect ? `${effect.type} #${effect.id}` : effect.type)

function tell(name: string, event: ShardEvent): void {
  ;[snapshot, effects] = step(snapshot, event)
  transcript += `> ${name}\n${effects.map((effect) => `    ! ${nameOf(effect)}\n`).join('')}`
  draw()
}

function answersTo(effect: ShardEffect): readonly Element[] {
  return [...Object.keys(effectTable[effect.type].answers), 'effectFailed'].map((type) => {
    const body = { error, ...contents[type as AnswerType], type, id: 'id' in effect ? effect.id : 0 }
    return button(`${type} #${body.id}`, body as unknown as ShardEvent)
  })
}

function draw(): void {
  const waiting = outstanding(snapshot)
  const shutdowns = reasons.map((reason) => button(`shutdown ${reason}`, { type: 'shutdown', reason }))
  const { value } = snapshot
  document.getElementById('state').textContent = typeof value === 'string' ? value : Object.entries(value).flat().join('.')
  document.getElementById('effects').replaceChildren(...waiting.map((effect) => element('li', nameOf(effect))))
  document.getElementById('buttons').replaceChildren(...waiting.flatMap(answersTo), ...shutdowns)
  document.getElementById('transcript').textContent = transcript
}

draw()

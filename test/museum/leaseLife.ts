import type { AnswerBody, AnsweredEffectType } from '@shardwise/effects'
import type { OutstandingEffects } from '../machine/outstandingEffects.ts'
import { type Life, transcriptOfLife } from './life.ts'

/** A coordinator or a lease keeper under test. */
interface Led<Event> {
  readonly state: { readonly phase: string }
  readonly effects: readonly Told[]
  readonly outstanding: OutstandingEffects
  send(event: Event): void
}

/** An event or an effect. */
interface Told {
  readonly type: string
}

/** A coordinator or a lease keeper whose life is written down. */
export interface LeaseLife<Event> {
  tell(event: Event): void
  /** Answers the one effect of this type that is outstanding. */
  answer<K extends AnsweredEffectType>(type: K, body: AnswerBody<K>): void
  readonly transcript: string
}

/** Writes down what is told to a coordinator or a lease keeper from now on, and what it does. */
export function recorded<Event extends Told>(led: Led<Event>): LeaseLife<Event> {
  const life: Life[number][] = [{ event: 'so far', state: led.state.phase, effects: led.effects.map(lineOf) }]
  const tell = (event: Event): void => {
    led.send(event)
    life.push({ event: lineOf(event), state: led.state.phase, effects: led.effects.map(lineOf) })
  }
  return {
    tell,
    answer: (type, body) => tell(led.outstanding.answer(type, body) as unknown as Event),
    get transcript() {
      return `${transcriptOfLife(life)}\n`
    },
  }
}

/** What is the same in every line of a life, or a setting, tells no story. */
const untold = new Set([
  'type',
  'id',
  'shardId',
  'token',
  'nowMs',
  'leaseCounter',
  'workerId',
  'acquiredMs',
  'openedAtMs',
  'parentShardIds',
])

function lineOf(told: Told): string {
  const id = 'id' in told ? [`#${String(told.id)}`] : []
  return [told.type, ...id, ...Object.entries(told).flatMap(([name, value]) => (untold.has(name) ? [] : factOf(name, value)))].join(' ')
}

function factOf(name: string, value: unknown): readonly string[] {
  if (value === null) return []
  if (name === 'delayMs') return [`delay=${String(value)}ms`]
  if (Array.isArray(value)) return [`${name}=${value.map(keyOf).join(',') || 'none'}`]
  return [`${name}=${typeof value === 'object' ? keyOf(value) : String(value)}`]
}

/** The key of a lease with its owner, or the id of a shard. */
function keyOf(row: object): string {
  if (!('leaseKey' in row)) return 'shardId' in row ? String(row.shardId) : ''
  return 'leaseOwner' in row && row.leaseOwner !== null ? `${String(row.leaseKey)}@${String(row.leaseOwner)}` : String(row.leaseKey)
}

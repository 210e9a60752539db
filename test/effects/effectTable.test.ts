import { type Answer, type Effect, type EffectType, effectTable, isAnswered } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'

const types = Object.keys(effectTable) as EffectType[]
const answersOf = (type: EffectType): readonly string[] => Object.keys(effectTable[type].answers)

/** T where it is JSON, and never in the places where it is not. */
type Json<T> = T extends string | number | boolean | null
  ? T
  : T extends undefined | bigint | symbol | Date | Uint8Array | ((...args: never[]) => unknown)
    ? never
    : { [K in keyof T]: Json<T[K]> }

// These two fail to compile when an effect or an answer carries what JSON cannot.
const effectIsJson = (effect: Effect): Json<Effect> => effect
const answerIsJson = (answer: Answer): Json<Answer> => answer

describe('the effect table', () => {
  it.each(types)('gives %s a lane other than notice exactly when answers follow it', (type) => {
    expect(isAnswered(type)).toBe(answersOf(type).length > 0)
    expect(effectTable[type].lane === 'notice').toBe(!isAnswered(type))
  })

  it.each(types)('says for %s what waits when no answer comes, exactly when one may come', (type) => {
    expect(effectTable[type].unanswered !== null).toBe(isAnswered(type))
  })

  it('lets only outcomes that mean the same everywhere answer several effects', () => {
    const asked = new Map<string, EffectType[]>()
    for (const type of types) for (const answer of answersOf(type)) asked.set(answer, [...(asked.get(answer) ?? []), type])
    const shared = [...asked].flatMap(([answer, by]) => (by.length > 1 ? [answer] : []))
    expect(shared.sort()).toEqual([
      'batchGone',
      'heartbeatRefused',
      'leaseNotFound',
      'leaseRefused',
      'processorGone',
      'shardNotFound',
      'streamNotFound',
      'throttled',
      'workerIdShared',
    ])
  })

  it('answers each effect that is answered with one success of its own', () => {
    const notSuccess =
      /NotFound$|Refused$|Gone$|throttled|Failed$|Pending$|Missing$|Expired$|NotOpen$|NotActive$|StillOpen$|Exists$|Shared$/
    for (const type of types.filter(isAnswered)) {
      const successes = answersOf(type).filter((answer) => !notSuccess.test(answer))
      expect({ type, successes }).toEqual({ type, successes: [expect.any(String)] })
    }
  })

  it('keeps the names of effects, answers and the driver apart', () => {
    const answers = new Set(types.flatMap(answersOf))
    const taken: readonly string[] = [...types, 'effectFailed', 'checkpointRequested', 'shutdown']
    expect(taken.filter((name) => answers.has(name))).toEqual([])
  })

  it('says that everything may be started again after a crash but user callbacks, and a read, whose source has moved on', () => {
    const callbacks = types.filter((type) => effectTable[type].port === 'processor' && isAnswered(type))
    expect(types.filter((type) => !effectTable[type].idempotent)).toEqual(['readRecords', ...callbacks])
  })

  it('lets one effect alone use each of the lanes that run beside a task, or instead of one', () => {
    const inLane = (lane: string) => types.filter((type) => effectTable[type].lane === lane)
    expect({ read: inLane('read'), checkpoint: inLane('checkpoint'), timer: inLane('timer') }).toEqual({
      read: ['readRecords'],
      checkpoint: ['writeCheckpoint'],
      timer: ['startTimer'],
    })
  })

  it('keeps the tasks of a shard consumer apart from the effects of the coordinator', () => {
    const portsOf = (lane: string) =>
      new Set<string>(types.flatMap((type) => (effectTable[type].lane === lane ? [effectTable[type].port] : [])))
    expect(portsOf('coordinator')).toEqual(new Set(['leaseTable', 'streamDirectory']))
    expect(portsOf('task')).toEqual(new Set(['leaseStore', 'recordSource', 'processor']))
  })

  it('is plain JSON, and so are its effects and answers', () => {
    expect(JSON.parse(JSON.stringify(effectTable))).toEqual(effectTable)
    const effect: Effect = { type: 'cancel', id: 1 }
    const answer: Answer = { type: 'effectFailed', id: 1, error: { name: 'Error', message: '' } }
    expect([effectIsJson(effect), answerIsJson(answer)]).toEqual(JSON.parse(JSON.stringify([effect, answer])))
  })
})

import { type AnswerBody, type AnsweredEffectType, type EffectOf, type EffectType, isAnswered } from '@shardwise/effects'

/** An effect as a machine asks for it. */
interface Asked {
  readonly type: EffectType
}

type AwaitedEffect = EffectOf<AnsweredEffectType>

/** Keeps what a machine under test has asked for and not been answered. */
export interface OutstandingEffects {
  /** In the order asked for. */
  readonly awaited: readonly AwaitedEffect[]
  /** The ids of `cancel` effects that aborted nothing that was outstanding. */
  readonly idleCancels: readonly number[]
  /** Notes the effects of a step, after the answer that led to it. */
  take(effects: readonly Asked[], answered?: number): void
  /** An answer to the effect of this type that is outstanding. @throws Error when there is none, or are several. */
  answer<K extends AnsweredEffectType>(type: K, body: AnswerBody<K> | Failure): (AnswerBody<K> | Failure) & { readonly id: number }
}

/** The adapter failed. */
export interface Failure {
  readonly type: 'effectFailed'
  readonly error: { readonly name: string; readonly message: string }
}

/** A failure of an adapter, by its name. */
export const aFailure = (name = 'TimeoutError'): Failure => ({ type: 'effectFailed', error: { name, message: 'said the other side' } })

/** Nothing is outstanding yet. */
export function noEffects(): OutstandingEffects {
  const awaited = new Map<number, AwaitedEffect>()
  const idleCancels: number[] = []
  return {
    get awaited() {
      return [...awaited.values()]
    },
    idleCancels,
    take(effects, answered) {
      if (answered !== undefined) awaited.delete(answered)
      for (const effect of effects) {
        if (effect.type === 'cancel') {
          const { id } = effect as EffectOf<'cancel'>
          if (!awaited.delete(id)) idleCancels.push(id)
        } else if (isAnswered(effect.type)) awaited.set((effect as AwaitedEffect).id, effect as AwaitedEffect)
      }
    },
    answer(type, body) {
      const fitting = [...awaited.values()].filter((effect) => effect.type === type)
      const [effect] = fitting
      if (effect === undefined || fitting.length > 1) {
        const types = [...awaited.values()].map((other) => other.type).join(' and ') || 'nothing'
        throw new Error(`answer: expected one ${type} to be outstanding, got ${types}`)
      }
      return { ...body, id: effect.id }
    },
  }
}

import type { ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import { outstanding, start, step } from '@shardwise/machine'
import type { Move } from './story.ts'
import { stateText } from './transcriptText.ts'

/** One step of a consumer: the event (null for the start), the state before and after it, and the effects. */
export interface PlayedStep {
  readonly event: ShardEvent | null
  readonly before: ShardConsumerSnapshot | null
  readonly after: ShardConsumerSnapshot
  readonly effects: readonly ShardEffect[]
}

/**
 * Plays moves to a new consumer, giving each answer the id of the effect it answers.
 * @throws Error when a move answers what is not outstanding.
 */
export function play({ input, moves }: { readonly input: ShardConsumerInput; readonly moves: readonly Move[] }): readonly PlayedStep[] {
  const [first, effects] = start(input)
  const played: PlayedStep[] = [{ event: null, before: null, after: first, effects }]
  let before = first
  for (const [index, move] of moves.entries()) {
    const event = eventOf(move, before, played, `move ${index + 1}`)
    const [after, asked] = step(before, event)
    played.push({ event, before, after, effects: asked })
    before = after
  }
  return played
}

function eventOf(move: Move, snapshot: ShardConsumerSnapshot, played: readonly PlayedStep[], where: string): ShardEvent {
  switch (move.move) {
    case 'shutdown':
      return { type: 'shutdown', reason: move.reason }
    case 'pause':
    case 'resume':
      return { type: move.move }
    case 'checkpoint':
      return { type: 'checkpointRequested', request: move.request, position: move.position }
    case 'writeTimer':
      return { type: 'timerFired', id: idOf(snapshot.context.write?.effect, where, 'the timer of a checkpoint', snapshot), nowMs: 0 }
    case 'answer': {
      const effect = outstanding(snapshot).find(({ type }) => type === move.effect)
      return { ...move.answer, id: idOf(effect, where, move.effect, snapshot) } as ShardEvent
    }
    case 'late': {
      const effect = played.flatMap(({ effects }) => effects).findLast(({ type }) => type === move.effect)
      if (effect !== undefined && outstanding(snapshot).includes(effect)) throw new Error(`${where}: ${move.effect} is still awaited`)
      return { ...move.answer, id: idOf(effect, where, move.effect, snapshot) } as ShardEvent
    }
    case 'repeat': {
      const asked = played.flatMap(({ effects }) => effects).flatMap((effect) => (effect.type === move.effect ? [effect.id] : []))
      const given = played.findLast(({ event }) => event !== null && 'id' in event && asked.includes(event.id))?.event
      if (given === undefined || given === null) throw new Error(`${where}: ${move.effect} was never answered`)
      return given
    }
  }
}

function idOf(effect: object | undefined, where: string, what: string, snapshot: ShardConsumerSnapshot): number {
  if (effect !== undefined && 'id' in effect && typeof effect.id === 'number') return effect.id
  const awaited = outstanding(snapshot).map(({ type }) => type)
  throw new Error(`${where}: ${what} is not outstanding, expected ${awaited.join(' or ') || 'no answer'} in ${stateText(snapshot)}`)
}

import type { ShardConsumerInput } from '@shardwise/machine'
import type { Move } from '../scenarios/story.ts'
import { transcriptOf } from '../scenarios/transcript.ts'
import { type Life, transcriptOfLife } from './life.ts'

/** A bug of another Kinesis consumer, replayed here. */
export interface Piece {
  /** Begins with the project, and the number of the issue or the release. */
  readonly name: string
  /** The threads upstream, or the release whose classes were run. */
  readonly sources: readonly string[]
  /** What happened there, in one sentence. */
  readonly happened: string
  /** How it is known. */
  readonly known: string
  /** What upstream got wrong and holds here, in one sentence. */
  readonly fact: string
  /** Whether the fact holds in a life. */
  readonly holds: (life: Life) => boolean
  /** What happened there, in the words of a transcript. */
  readonly there: Life
  /** What happens here, as a transcript. */
  readonly here: () => string | Promise<string>
}

/** What a shard consumer does with these events. */
export const consumer =
  (input: ShardConsumerInput, moves: readonly Move[]): Piece['here'] =>
  () =>
    transcriptOf({ name: '', input, moves })

/** The piece as it is shown: what is known, what happened there, and the transcript of what happens here. */
export function textOf({ sources, happened, known, fact, there }: Piece, here: string): string {
  return [
    sources.join(', '),
    '',
    `There: ${happened}`,
    `Known: ${known}`,
    `Here: ${fact}`,
    '',
    'There',
    '',
    transcriptOfLife(there),
    '',
    'Here',
    '',
    here,
  ].join('\n')
}

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

/** What the name of a piece begins with: the project, and the number of its first thread or its release. */
export function originOf({ sources: [first = ''] }: Piece): string {
  return first
    .replace(/^[^/]*\//, '')
    .replace('amazon-kinesis-client', 'kcl')
    .replace('lifion-kinesis', 'lifion')
    .replace(/[# ]/, '-')
}

/** The piece as a row of the table in docs/guarantees.md. */
export function rowOf(piece: Piece): string {
  const { name, sources, fact } = piece
  const origin = originOf(piece)
  const title = `${origin.replace(/-(?=[\d.]+$)/, ' ')}: ${name.slice(origin.length + 1).replaceAll('-', ' ')}`
  return `| [${title}](../test/museum/${name}.txt) | ${sources.map(sourceLink).join(', ')} | ${fact} |`
}

function sourceLink(source: string): string {
  const [repository = '', number] = source.split('#')
  if (number !== undefined) return `[#${number}](https://github.com/${repository}/issues/${number})`
  return source.includes(' ') ? source.replace(/^.* /, 'release ') : `[${source}](https://github.com/${source})`
}

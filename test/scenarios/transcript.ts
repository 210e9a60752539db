import type { ShardConsumerInput, ShardConsumerSnapshot } from '@shardwise/machine'
import { type PlayedStep, play } from './play.ts'
import type { Story } from './story.ts'
import { factsOf, type SequenceNumberText, shortenIn, stateText } from './transcriptText.ts'

/** Plays a story and writes down what the machine did: events after `>`, the state, effects after `!`, ids after `#`. */
export function transcriptOf(story: Story): string {
  const played = play(story)
  const shorten = shortenIn(played)
  return `${played.map((step) => textOf(step, story.input, shorten)).join('\n')}\n`
}

function textOf({ event, before, after, effects }: PlayedStep, input: ShardConsumerInput, shorten: SequenceNumberText): string {
  const head = event === null ? startText(input) : `> ${factsOf(event, shorten)}`
  if (before === after && effects.length === 0) return `${head}\n  (nothing changes)`
  return [head, stateLine(before, after), ...effects.map((effect) => `    ! ${factsOf(effect, shorten)}`)].join('\n')
}

function stateLine(before: ShardConsumerSnapshot | null, after: ShardConsumerSnapshot): string {
  const { reason, outcome } = after.context
  const raised = reason === null || before?.context.reason === reason ? [] : [`reason=${reason}`]
  const ended = outcome === null ? [] : [`outcome=${outcome}`]
  return `  ${[stateText(after), ...raised, ...ended].join(' ')}`
}

function startText({ shardId, parentShardIds, options }: ShardConsumerInput): string {
  const chosen = Object.entries(options ?? {}).map(
    ([name, value]) => `${name}=${typeof value === 'object' && value !== null ? value.type : String(value)}`,
  )
  return ['> start', shardId, `parents=${(parentShardIds ?? []).join(',') || 'none'}`, ...chosen].join(' ')
}

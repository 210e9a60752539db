import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkpointStories } from './checkpointStories.ts'
import { lifeStories } from './lifeStories.ts'
import { policyStories } from './policyStories.ts'
import { shardEndStories } from './shardEndStories.ts'
import { shutdownStories } from './shutdownStories.ts'
import { sourceStories } from './sourceStories.ts'
import { answer, aShard, untilReading } from './story.ts'
import { transcriptOf } from './transcript.ts'

const stories = [...lifeStories, ...sourceStories, ...checkpointStories, ...policyStories, ...shutdownStories, ...shardEndStories]

describe('a shard consumer', () => {
  it.each(stories.map((story) => [story.name, story] as const))('lives through: %s', async (name, story) => {
    await expect(transcriptOf(story)).toMatchFileSnapshot(`./${name}.txt`)
  })
})

describe('the transcripts', () => {
  it('are one per story, with names of their own', () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.txt'))

    expect(files.toSorted()).toEqual(stories.map(({ name }) => `${name}.txt`).toSorted())
  })

  it('refuse a story that answers what is not outstanding', () => {
    const story = { name: 'wrong', input: aShard, moves: [...untilReading(), answer('processRecords', 'recordsProcessed')] }

    expect(() => transcriptOf(story)).toThrow('move 5: processRecords is not outstanding, expected readRecords in PROCESSING.reading')
  })
})

import { checkpointStories } from '../../test/scenarios/checkpointStories.ts'
import { lifeStories } from '../../test/scenarios/lifeStories.ts'
import { play } from '../../test/scenarios/play.ts'
import { policyStories } from '../../test/scenarios/policyStories.ts'
import { shardEndStories } from '../../test/scenarios/shardEndStories.ts'
import { shutdownStories } from '../../test/scenarios/shutdownStories.ts'
import { sourceStories } from '../../test/scenarios/sourceStories.ts'
import type { StoryEvents } from './report.ts'

/** Every story of the scenarios, as the events that it tells the machine. */
export function readStories(): readonly StoryEvents[] {
  return [...lifeStories, ...sourceStories, ...checkpointStories, ...policyStories, ...shutdownStories, ...shardEndStories].map(
    (story) => ({
      name: story.name,
      input: story.input,
      events: play(story).flatMap(({ event }) => (event === null ? [] : [event])),
    }),
  )
}

/** The steps of all stories, their starts apart. */
export const stepsOf = (stories: readonly StoryEvents[]): number => stories.reduce((steps, { events }) => steps + events.length, 0)

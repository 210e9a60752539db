import type { ShardConsumerInput } from '@shardwise/machine'
import { type ConsumerGraph, consumerGraph, type Engine } from '@shardwise/testing'

/** Walks a consumer where there are no dice: the graph tools name an actor of their own at random, which the machine never sees. */
export function walk(input: ShardConsumerInput, engine: Engine): ConsumerGraph {
  const { random } = Math
  Math.random = () => 0.5
  try {
    return consumerGraph(input, engine)
  } finally {
    Math.random = random
  }
}

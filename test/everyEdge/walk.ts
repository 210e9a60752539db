import type { ShardConsumerInput } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import { type ConsumerGraph, consumerGraph, pathInputs } from '@shardwise/testing'

/** Walks a consumer where there are no dice: the graph tools name an actor of their own at random, which the machine never sees. */
function walk(input: ShardConsumerInput): ConsumerGraph {
  const { random } = Math
  Math.random = () => 0.5
  try {
    return consumerGraph(input, compiled)
  } finally {
    Math.random = random
  }
}

/** The graphs of all policies, walked with the compiled engine, which is the faster one. */
export const graphs = pathInputs.map(walk)

/** Every edge of them. */
export const edges = graphs.flatMap((graph) => graph.edges)

import { start, step } from '@shardwise/machine'
import type { Engine } from '@shardwise/testing'

/** Every engine of the shard consumer; those after the first must do what the first does. */
export const engines: Readonly<Record<string, Engine>> = {
  xstate: { start, step },
}

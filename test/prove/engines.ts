import { shardConsumer } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import type { Engine } from '@shardwise/testing'

/** Every engine of the shard consumer; those after the first must do what the first does. */
export const engines: Readonly<Record<string, Engine>> = { xstate: shardConsumer, compiled: compiled.shardConsumer }

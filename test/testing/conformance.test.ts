import { interpret } from '@shardwise/effects'
import { type ConformanceCase, conformance, type Runtime } from '@shardwise/testing'
import { describe, expect, test } from 'vitest'

/** The driver of the project itself. */
const interpreted: Runtime = {
  can: ['anyMachine', 'restores', 'observes', 'aborts', 'ends', 'closes'],
  run: (setup) => interpret(setup),
}

describe('interpret', () => {
  for (const { name, run } of conformance(interpreted)) test(name, run)
})

import { parseShardId } from '@shardwise/effects'
import { expect, it } from 'vitest'

it.each(['shardId-000000000012', 'a', 'A_b.c-9', 'x'.repeat(128)])('reads the shard id %s', (text) => {
  expect(parseShardId(text)).toBe(text)
})

it.each(['', 'x'.repeat(129), 'a b', 'a/b', 'a:b', 'shard\n', 'é', null, undefined, 7, ['a']])('refuses the shard id %j', (given) => {
  expect(() => parseShardId(given as never)).toThrow('shardId: expected 1 to 128 letters')
})

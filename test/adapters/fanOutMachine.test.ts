import { interpret, TRIM_HORIZON } from '@shardwise/effects'
import { shardConsumer, start } from '@shardwise/machine'
import { afterEach, expect, test } from 'vitest'
import { children, event, fanOutFixture, shardId } from './fanOutWire.ts'

let fixture: Awaited<ReturnType<typeof fanOutFixture>> | undefined
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

test('a shard consumer reads a shard to its end over subscriptions that end, break, are taken over and are refused, each record once and in order', async () => {
  let nowMs = 1_000_000
  fixture = await fanOutFixture({ now: () => nowMs })
  const { server, source, batches, starts } = fixture
  const pass = (ms: number): void => {
    nowMs += ms
    server.pass(ms)
  }
  const delivered: string[] = []
  const answers: string[] = []
  let deliveredThree = (): void => undefined
  const threeDelivered = new Promise<void>((resolve) => {
    deliveredThree = resolve
  })
  const consumer = interpret({
    machine: shardConsumer,
    start: start({ shardId, token: 1, options: { idleTimeInMilliseconds: 0, initialPosition: { type: 'TRIM_HORIZON' } } }),
    handlers: {
      ...source,
      checkParentShards: () => ({ type: 'parentShardsCompleted' }),
      readCheckpoint: () => ({ type: 'checkpointRead', checkpoint: TRIM_HORIZON, pendingCheckpoint: null }),
      writeCheckpoint: () => ({ type: 'checkpointWritten' }),
      createChildLeases: ({ childShards }) => {
        answers.push(`children ${childShards.map((child) => child.shardId).join(' ')}`)
        return { type: 'childLeasesCreated' }
      },
      initialize: () => ({ type: 'initialized' }),
      processRecords: ({ batch }) => {
        delivered.push(...(batches.take(batch.batchId)?.records ?? []).map(({ sequenceNumber }) => sequenceNumber))
        if (delivered.at(-1) === '3') deliveredThree()
        return { type: 'recordsProcessed' }
      },
      deliverDeadLetter: () => ({ type: 'deadLetterDelivered' }),
      notifyShutdownRequested: () => ({ type: 'shutdownRequestedNotified' }),
      notifyLeaseLost: () => ({ type: 'leaseLostNotified' }),
      notifyShardEnded: () => {
        consumer.send({ type: 'checkpointRequested', request: 'end', position: null })
        return { type: 'shardEndedNotified' }
      },
      settleCheckpoint: () => undefined,
      startTimer: async () => {
        pass(2_000)
        return { type: 'timerFired', nowMs }
      },
      signalShutdownNotificationComplete: () => undefined,
      signalLeaseLost: () => undefined,
      signalShutdownComplete: () => undefined,
    },
    observe({ event: heard }) {
      if (heard?.type === 'effectFailed') answers.push(heard.error.name)
      else if (heard !== null && ['iteratorExpired', 'throttled', 'shardNotOpen'].includes(heard.type)) answers.push(heard.type)
    },
  })

  const first = await server.subscription(1)
  await first.send(event([1, 2], 10))
  await first.send(event([], 20))
  pass(300_000)
  const second = await server.subscription(2)
  await second.send(event([3], 30))
  // A reset takes along what has not been read yet.
  await threeDelivered
  second.reset()
  const third = await server.subscription(3)
  await third.send(event([4], 40))
  third.fail('ResourceInUseException')
  const fourth = await server.subscription(4)
  await fourth.send(event([5], null, children))
  fourth.end()

  const { context } = await consumer.done
  expect(context.outcome).toBe('finished')
  expect(delivered).toEqual(['1', '2', '3', '4', '5'])
  expect(answers.filter((answer) => answer !== 'throttled')).toEqual([
    'iteratorExpired',
    'SubscriptionBroken',
    'shardNotOpen',
    'shardNotOpen',
    'children child-1 child-2',
  ])
  expect(answers).toContain('throttled')
  const asked = starts().map((position) => (position as { SequenceNumber?: string }).SequenceNumber)
  expect(asked.filter((number, index) => index === 0 || number !== asked[index - 1])).toEqual([undefined, '20', '30', '40'])
  expect(batches.size).toBe(0)
})

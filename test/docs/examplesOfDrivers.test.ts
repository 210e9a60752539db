import { type ShardEffect, type ShardEvent, shardConsumer, start } from '@shardwise/machine'
import { conformance, type Runtime } from '@shardwise/testing'
import { describe, expect, it, test } from 'vitest'
import { runActor } from '../../docs/examples/actor.ts'
import { type Cloud, onEffect, onEvent, wake } from '../../docs/examples/lambdaHandler.ts'
import { memoryWorld, type ShardHandlers } from '../../docs/examples/memoryWorld.ts'
import { plainLoop } from '../../docs/examples/plainLoop.ts'

const orders = ['order 1', 'order 2', 'order 3']

/** Waits for more turns than the consuming of these orders takes: nothing in memory waits for anything but promises. */
async function untilAtRest(): Promise<void> {
  for (let turn = 0; turn < 2_000; turn += 1) await Promise.resolve()
}

/** What a world looks like when its shard was consumed to the end. */
async function expectConsumed(world: Awaited<ReturnType<typeof memoryWorld>>): Promise<void> {
  await untilAtRest()
  expect(world.rows().find(({ leaseKey }) => leaseKey === world.input.shardId)?.checkpoint.sequenceNumber).toBe('SHARD_END')
  expect(world.consumed).toEqual(orders)
  expect(world.rows().map(({ leaseKey }) => leaseKey)).toEqual(['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000002'])
}

/** Handlers whose processor sends to something that is made only later. */
function sendLater(world: Awaited<ReturnType<typeof memoryWorld>>) {
  let send: (event: ShardEvent) => void = () => {
    throw new Error('not running yet')
  }
  return { handlers: world.handlers((event) => send(event)), open: (running: { send(event: ShardEvent): void }) => (send = running.send) }
}

describe('plainLoop.ts', () => {
  it('consumes a shard in memory to its end', async () => {
    const world = await memoryWorld(orders)
    const { handlers, open } = sendLater(world)
    open(plainLoop({ machine: shardConsumer, start: start(world.input), handlers, observe: () => undefined }))
    await expectConsumed(world)
  })

  const runtime: Runtime = { can: ['anyMachine', 'restores', 'observes', 'aborts'], run: plainLoop }
  for (const { name, run } of conformance(runtime)) test(name, run)
})

describe('actor.ts', () => {
  it('consumes a shard in memory to its end', async () => {
    const world = await memoryWorld(orders)
    const { handlers, open } = sendLater(world)
    const states: string[] = []
    open(runActor({ input: world.input, handlers, onState: (state) => states.push(state) }))
    await expectConsumed(world)
    expect(states.at(-1)).toBe('SHUTDOWN_COMPLETE')
    expect(states).toContain('SHUTTING_DOWN.notifyingShardEnded')
  })

  const runtime: Runtime = { can: ['aborts'], run: ({ input, handlers }) => runActor({ input, handlers, onState: () => undefined }) }
  for (const { name, run } of conformance(runtime)) test(name, run)
})

/** A store and two queues in memory; events are taken one at a time, effects begin in the order in which they were sent. */
function memoryCloud(handlers: ShardHandlers, take: (event: ShardEvent, cloud: Cloud) => Promise<void>) {
  let stored: string | null = null
  let last: Promise<void> = Promise.resolve()
  const cloud: Cloud = {
    load: async () => stored,
    save: async (snapshot) => void (stored = snapshot),
    sendEvent: async (event) => void (last = last.then(() => take(event, cloud))),
    sendEffect: async (effect) => void onEffect(effect, handlers, cloud),
  }
  const enqueue = (invocation: () => Promise<void>): void => void (last = last.then(invocation))
  return { cloud, enqueue, idle: () => last }
}

describe('lambdaHandler.ts', () => {
  const takeShardEvent = (event: ShardEvent, cloud: Cloud) => onEvent(event, shardConsumer, cloud)

  it('consumes a shard in memory to its end', async () => {
    const world = await memoryWorld(orders)
    const { handlers, open } = sendLater(world)
    const { cloud } = memoryCloud(handlers, takeShardEvent)
    open({ send: (event) => void cloud.sendEvent(event) })
    await wake(world.input, cloud)
    await expectConsumed(world)
  })

  it('goes on from what was stored when everything else was lost', async () => {
    const world = await memoryWorld(orders)
    const lost: ShardEffect[] = []
    const saved: string[] = []
    const dead: Cloud = {
      load: async () => saved.at(-1) ?? null,
      save: async (snapshot) => void saved.push(snapshot),
      sendEvent: async () => undefined,
      sendEffect: async (effect) => void lost.push(effect),
    }
    await wake(world.input, dead)
    await onEvent({ type: 'parentShardsCompleted', id: 1 }, shardConsumer, dead)
    expect(lost.map(({ type }) => type)).toEqual(['checkParentShards', 'readCheckpoint'])

    const { handlers, open } = sendLater(world)
    const { cloud } = memoryCloud(handlers, takeShardEvent)
    await cloud.save(saved.at(-1) ?? '')
    open({ send: (event) => void cloud.sendEvent(event) })
    await wake(world.input, cloud)
    await expectConsumed(world)
  })

  it('refuses an event for a consumer that was never woken', async () => {
    const { cloud } = memoryCloud({} as ShardHandlers, takeShardEvent)
    await expect(onEvent({ type: 'shutdown', reason: 'REQUESTED' }, shardConsumer, cloud)).rejects.toThrow('snapshot: expected a consumer')
  })

  const runtime: Runtime = {
    can: ['anyMachine', 'restores'],
    run({ machine, start: [snapshot, effects], handlers }) {
      const { cloud, enqueue, idle } = memoryCloud(handlers, (event) => onEvent(event, machine, cloud))
      enqueue(async () => {
        await cloud.save(JSON.stringify(snapshot))
        for (const effect of effects) await cloud.sendEffect(effect)
      })
      return { send: cloud.sendEvent, idle }
    },
  }
  for (const { name, run } of conformance(runtime)) test(name, run)
})

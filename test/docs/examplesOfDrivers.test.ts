import { type ShardEffect, type ShardEvent, shardConsumer, start } from '@shardwise/machine'
import { conformance, type Runtime } from '@shardwise/testing'
import { describe, expect, it, test } from 'vitest'
import { runActor } from '../../docs/examples/actor.ts'
import { type Cloud, leave, onEffect, onEvent, wake } from '../../docs/examples/lambdaHandler.ts'
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

const shardId = 'shardId-000000000000'
const input = { shardId, token: 1 }
const stop = { type: 'shutdown', reason: 'REQUESTED' } as const
const untilInitialized: readonly ShardEvent[] = [
  { type: 'parentShardsCompleted', id: 1 },
  { type: 'checkpointRead', id: 2, checkpoint: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 }, pendingCheckpoint: null },
  { type: 'shardOpened', id: 3, openedAtMs: 0 },
]

/** A store in memory and a queue of effects, which the function crashes once before or behind, at an effect of that type. */
function crashing() {
  let stored: string | null = null
  const sent = { types: [] as string[], crashBefore: '', crashBehind: '' }
  const cloud: Cloud = {
    load: async () => stored,
    save: async (text) => void (stored = text),
    sendEvent: async () => undefined,
    async sendEffect({ type }) {
      const { crashBefore, crashBehind } = sent
      if (type !== crashBefore && type !== 'cancel') sent.types.push(type)
      if (type !== crashBefore && type !== crashBehind) return
      Object.assign(sent, { crashBefore: '', crashBehind: '' })
      throw new Error('crash')
    },
  }
  return { cloud, sent }
}

/** A consumer that waits for its parent shards: a stop ends it at once, with a notice. */
async function blocked() {
  const { cloud, sent } = crashing()
  await wake(input, cloud)
  await onEvent({ type: 'parentShardsPending', id: 1, pendingShardId: 'shardId-000000000009' }, shardConsumer, cloud)
  return { cloud, sent }
}

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

const nothingCrashed = (): never => {
  throw new Error('nothing has crashed')
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

  it('sends a notice that was stored when it crashed, and perhaps not sent, before it takes the event that comes again', async () => {
    const { cloud, sent } = await blocked()
    sent.crashBefore = 'signalShutdownComplete'
    await expect(onEvent(stop, shardConsumer, cloud)).rejects.toThrow('crash')
    expect(sent.types).toEqual(['checkParentShards', 'startTimer'])
    await onEvent(stop, shardConsumer, cloud)
    expect(sent.types).toEqual(['checkParentShards', 'startTimer', 'signalShutdownComplete'])
    await wake(input, cloud)
    await onEvent(stop, shardConsumer, cloud)
    expect(sent.types).toEqual(['checkParentShards', 'startTimer', 'signalShutdownComplete'])
  })

  it('sends it as well when it is woken instead, again and again until it has got that far', async () => {
    const { cloud, sent } = await blocked()
    for (const invocation of [() => onEvent(stop, shardConsumer, cloud), () => wake(input, cloud), () => wake(input, cloud)]) {
      sent.crashBefore = 'signalShutdownComplete'
      await expect(invocation()).rejects.toThrow('crash')
    }
    await wake(input, cloud)
    expect(sent.types).toEqual(['checkParentShards', 'startTimer', 'signalShutdownComplete'])
  })

  it('sends a notice twice when it crashed behind the first time', async () => {
    const { cloud, sent } = await blocked()
    sent.crashBehind = 'signalShutdownComplete'
    await expect(onEvent(stop, shardConsumer, cloud)).rejects.toThrow('crash')
    await wake(input, cloud)
    expect(sent.types).toEqual(['checkParentShards', 'startTimer', 'signalShutdownComplete', 'signalShutdownComplete'])
  })

  it('reads a shard again that was perhaps being read when it crashed, for the source may have moved on', async () => {
    const { cloud, sent } = crashing()
    await wake(input, cloud)
    for (const event of untilInitialized) await onEvent(event, shardConsumer, cloud)
    sent.crashBehind = 'readRecords'
    const last: ShardEvent = { type: 'initialized', id: 4 }
    await expect(onEvent(last, shardConsumer, cloud)).rejects.toThrow('crash')
    await onEvent(last, shardConsumer, cloud)
    expect(sent.types.slice(-2)).toEqual(['readRecords', 'openShard'])
  })

  it('consumes a shard to its end, whichever write or sending it crashes at', async () => {
    for (let crashAt = 1; ; crashAt += 1) {
      const world = await memoryWorld(orders)
      const { handlers, open } = sendLater(world)
      let calls = 0
      const count = (): void => {
        calls += 1
        if (calls === crashAt) throw new Error('crash')
      }
      const take = async (event: ShardEvent, cloud: Cloud): Promise<void> => {
        const fragile: Cloud = {
          ...cloud,
          save: async (text) => (count(), cloud.save(text)),
          sendEffect: async (effect) => (count(), cloud.sendEffect(effect)),
        }
        await onEvent(event, shardConsumer, fragile).catch(() => onEvent(event, shardConsumer, cloud))
      }
      const { cloud } = memoryCloud(handlers, take)
      open({ send: (event) => void cloud.sendEvent(event) })
      await wake(world.input, cloud)
      await untilAtRest()
      expect([crashAt, [...new Set(world.consumed)]]).toEqual([crashAt, orders])
      expect(world.rows().find(({ leaseKey }) => leaseKey === shardId)?.checkpoint.sequenceNumber).toBe('SHARD_END')
      if (calls < crashAt) return
    }
  })

  const runtime: Runtime = {
    can: ['anyMachine', 'restores'],
    run({ machine, start: [snapshot, effects], handlers }) {
      const { cloud, enqueue, idle } = memoryCloud(handlers, (event) => onEvent(event, { ...machine, restore: nothingCrashed }, cloud))
      enqueue(() => leave([snapshot, effects], cloud))
      return { send: cloud.sendEvent, idle }
    },
  }
  for (const { name, run } of conformance(runtime)) test(name, run)
})

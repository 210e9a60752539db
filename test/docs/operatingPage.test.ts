import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis'
import { createMemoryStream } from '@shardwise/memory'
import { Worker, type WorkerOptions } from 'shardwise'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { checkpointAges } from '../../docs/examples/checkpointAge.ts'
import { startDynalite } from '../../servers/dynalite.ts'
import { startFanOutServer } from '../../servers/fanOutServer.ts'
import { feed, listingOf } from '../../servers/fanOutServerStream.ts'
import { startKinesalite } from '../../servers/kinesalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { at, clientOf, rawTable, workerAt } from '../adapters/dynamodbTable.ts'
import { http2Client } from '../adapters/fanOutClient.ts'
import { localKinesisClient } from '../adapters/kinesisClient.ts'
import { namedStreamsOf } from '../adapters/kplStreams.ts'
import { textOf } from '../house/tree.ts'
import { aDiary, aWatch, aWorker, aWorld, consumerHeard, deliveredCount, put, quick, texts, type Watch } from '../worker/workerSetting.ts'
import { blocksIn } from './markdown.ts'

const page = textOf('docs/operating.md')

/** The actions of the policy under a heading. */
function allowed(heading: string): readonly string[] {
  const [, after = ''] = page.split(`\n### ${heading}\n`)
  const [block] = blocksIn(after)
  const { Action: actions } = JSON.parse(block?.text ?? '{}') as { readonly Action: readonly string[] }
  return actions.toSorted()
}

/** The actions that a client asks for, from now on. */
function actionsOf(client: DynamoDBClient | KinesisClient, service: string): () => readonly string[] {
  const actions = new Set<string>()
  const stack = client.middlewareStack as DynamoDBClient['middlewareStack']
  stack.add(
    (next, { commandName = '' }) => {
      actions.add(`${service}:${commandName.replace(/Command$/, '')}`)
      return next
    },
    { step: 'initialize', name: 'record' },
  )
  return () => [...actions].sort()
}

const released: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const release of released.splice(0).reverse()) await release()
})
let tables: LocalServer
beforeAll(async () => {
  tables = await startDynalite()
})
afterAll(() => tables?.stop())

function aTableClient(): DynamoDBClient {
  const client = clientOf(tables.endpoint)
  released.push(() => client.destroy())
  return client
}

const { idleTimeInMilliseconds: _, ...unpolled } = quick

/** A life with all that a worker does: it takes a shard, sees its split through to the children, which get records, and deletes the lease of the shard. */
async function live(options: Partial<WorkerOptions>, split: () => unknown, watch: Watch = aWatch()): Promise<void> {
  const diary = aDiary()
  const worker = new Worker({
    ...unpolled,
    processor: diary.processor,
    completedLeaseCleanupIntervalMillis: 0,
    observe: watch.observe,
    ...options,
  })
  const reading = watch.until('the shard is read', consumerHeard('recordsRead'))
  const running = worker.run()
  await reading
  const deleted = watch.until(
    'the lease is deleted',
    ({ machine, step }) => machine === 'coordinator' && step.event?.type === 'leaseDeleted',
  )
  const children = watch.until('a child is read', consumerHeard('recordsRead', 'shardId-000000000001'))
  await split()
  await Promise.all([children, deleted])
  await worker.stop()
  await running
}

describe('the policies on the page of operating', () => {
  it('allow what a worker calls that polls and creates its table, and nothing else', async () => {
    const server = await startKinesalite()
    const [kinesis, ours] = [localKinesisClient(server.endpoint), localKinesisClient(server.endpoint)]
    released.push(
      () => server.stop(),
      () => kinesis.destroy(),
      () => ours.destroy(),
    )
    const dynamodb = aTableClient()
    const seen = [actionsOf(kinesis, 'kinesis'), actionsOf(dynamodb, 'dynamodb')]
    const { name, split } = await namedStreamsOf(ours)(1)
    const options = { streamName: name, kinesis, dynamodb, tableName: 'created', idleTimeInMilliseconds: 2 }
    await live(options, async () => {
      await split('shardId-000000000000')
      for (const key of texts('order', 12)) {
        await ours.send(new PutRecordCommand({ StreamName: name, PartitionKey: key, Data: Buffer.from(key) }))
      }
    })

    expect(seen.flatMap((actions) => actions())).toEqual([
      ...allowed('Polling'),
      ...[...allowed('Leases'), ...allowed('Creating the lease table')].sort(),
    ])
  })

  it.each([
    ['by name', 'Enhanced fan-out, by name', () => ({ consumerName: 'reader' })],
    ['by ARN', 'Enhanced fan-out, by ARN', (arn: string) => ({ consumerArn: arn })],
  ])('allow what a worker calls that reads by fan-out as a consumer %s, and nothing else', async (_how, heading, fanOutOf) => {
    const stream = createMemoryStream()
    const server = await startFanOutServer({
      listShards: () => listingOf(stream),
      hasShard: (shardId) => stream.listShards().some((shard) => shard.shardId === shardId),
      onSubscribe: (subscription) => void feed(subscription, stream, { recordsPerEvent: 7, heartbeatMs: 10 }),
      repeatWaitMs: 0,
      newConsumerStatus: 'ACTIVE',
    })
    const kinesis = http2Client(server.endpoint)
    released.push(
      () => server.stop(),
      () => kinesis.destroy(),
    )
    const fanOut = fanOutOf(heading.endsWith('ARN') ? server.register('other') : '')
    const options = { streamName: 'orders', kinesis, fanOut, dynamodb: aTableClient(), tableName: heading.replaceAll(/\W/g, '') }
    await live(options, () => {
      stream.split('shardId-000000000000')
      put(stream, texts('order', 12))
    })

    expect([...new Set(server.calls())].map((call) => `kinesis:${call}`).sort()).toEqual(allowed(heading))
  })
})

describe('the calls on the page of operating', () => {
  const parent = 'shardId-000000000000'
  const children = ['shardId-000000000001', 'shardId-000000000002']
  /** What the page says that an event costs. */
  const callsOf = (what: string): readonly string[] => new RegExp(`^\\| ${what} \\| (.+) \\|$`, 'm').exec(page)?.[1]?.split(', ') ?? []

  it('are those that the lease table makes', async () => {
    const dynamodb = aTableClient()
    const calls: string[] = []
    dynamodb.middlewareStack.add(
      (next, { commandName = '' }) => {
        calls.push(commandName.replace(/Command$/, ''))
        return next
      },
      { step: 'initialize', name: 'record' },
    )
    const worker = workerAt({ client: dynamodb, tableName: 'calls' })
    while ((await worker.ensureTable()).type !== 'tableReady');
    for (const leaseKey of [parent, ...children]) await worker.create(leaseKey)
    const costs = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
      calls.length = 0
      await act()
      return [...calls]
    }
    expect(await costs(() => worker.acquire(parent, 0))).toEqual(callsOf('taking a lease'))
    // The row came with the lease.
    expect(await costs(() => worker.read(parent))).toEqual([])
    expect(await costs(() => worker.checkParents([parent]))).toEqual(callsOf('starting the consumer of a child, for each parent'))
    expect(await costs(() => worker.checkpoint(parent, 1, at('17')))).toEqual(callsOf('a checkpoint'))
    const split = [3, 4].map((n) => [`shardId-00000000000${n}`, [parent]] as const)
    expect(await costs(() => worker.createChildren(parent, split))).toEqual(callsOf('the end of a shard that was split'))
    const merged = [['shardId-000000000005', [parent, ...children.slice(0, 1)]]] as const
    expect(await costs(() => worker.createChildren(parent, merged))).toEqual(callsOf('the end of a shard that was merged'))
    expect(await costs(() => worker.renew(parent, 1))).toEqual(['UpdateItem'])
    expect(await costs(() => worker.release(parent, 1))).toEqual(callsOf('giving a lease up'))
    expect(await costs(() => worker.remove(parent))).toEqual(callsOf('the lease of a finished shard'))
  })

  it('write rows that are smaller than a write unit', async () => {
    const dynamodb = aTableClient()
    const worker = workerAt({ client: dynamodb, tableName: 'sizes' }, 'w'.repeat(200))
    while ((await worker.ensureTable()).type !== 'tableReady');
    await worker.create(parent, { parentShardIds: children })
    await worker.acquire(parent, 0)
    await worker.checkpoint(parent, 1, at('9'.repeat(56), 999))
    await worker.createChildren(parent, [
      ['shardId-000000000003', [parent]],
      ['shardId-000000000004', [parent]],
    ])
    const row = await rawTable(dynamodb, 'sizes').get(parent)
    const sizeOf = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).reduce((sum, [name, inner]) => sum + name.length + sizeOf(inner), 0)
        : String(value).length

    expect(sizeOf(row)).toBeGreaterThan(300)
    expect(sizeOf(row)).toBeLessThan(1_024)
  })
})

describe('the log on the page of operating', () => {
  /** A line with what differs in it taken out. */
  const shapeOf = (line: string): string => line.replaceAll(/\$\{[^}]*\}|\b[A-Z]{2,}\b/g, '…').replaceAll(/…+/g, '…')
  const sources = ['logger', 'consume'].map((name) => textOf(`src/worker/${name}.ts`)).join('\n')
  const literals = [...sources.matchAll(/logger\.(debug|info|warn|error)\(\s*(?:`([^`]*)`|'([^']*)')/g)]
    .map(([, level = '', template, text]) => `${level} ${shapeOf(template ?? text ?? '')}`)
    .filter((line) => line !== 'warn …: …')
  const [, remarks = ''] = /const remarkable[^{]*= \{([^}]*)\}/.exec(sources) ?? []
  const remarkable = [...remarks.matchAll(/: '([^']*)'/g)].map(([, text = '']) => `warn …: ${text}`)
  const elsewhere = [
    ['info', 'src/worker/progressTable.ts', /`(\$\{shardId\} \$\{state\}[^`]*)`/],
    ['error', 'src/worker/stuckWatch.ts', /`(\$\{shardId\}: stuck[^`]*)`/],
    ['warn', 'src/worker/eventLoopWatch.ts', /`(worker: the event loop[^`]*)`/],
    ['warn', 'src/adapters/kinesis/kpl/dropReporter.ts', /`(Shard [^`]*)`/],
  ] as const
  const others = elsewhere.map(([level, path, line]) => `${level} ${shapeOf(line.exec(textOf(path))?.[1] ?? path)}`)

  it('has every line that a worker writes, and no other', () => {
    const rows = [...page.matchAll(/^\| (debug|info|warn|error) \| `([^`]+)` \|/gm)].map(
      ([, level = '', line = '']) => `${level} ${shapeOf(line)}`,
    )

    expect(literals.length).toBeGreaterThan(12)
    expect(rows.toSorted()).toEqual([...literals, ...remarkable, ...others].sort())
  })
})

describe('checkpointAge.ts', () => {
  it('says how long ago the last checkpoint of each shard was stored, as long as it is consumed', async () => {
    const [world, diary, watch] = [aWorld(1), aDiary(), aWatch()]
    let nowMs = 5_000
    const { observe, ages } = checkpointAges(() => nowMs)
    const worker = aWorker(world, {
      processor: diary.processor,
      observe(observation) {
        observe(observation)
        watch.observe(observation)
      },
    })
    const begun = watch.until('the shard is begun', consumerHeard('initialized'))
    const running = worker.run()
    await begun
    nowMs = 65_000
    expect([...ages()]).toEqual([['shardId-000000000000', 60]])
    const stored = watch.until('a batch', deliveredCount(diary, 3))
    put(world.stream, texts('order', 3))
    await stored
    nowMs = 68_000
    expect([...ages()]).toEqual([['shardId-000000000000', 3]])
    await worker.stop()
    await running
    expect([...ages()]).toEqual([])
  })
})

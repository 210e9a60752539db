import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { eventFrame, exceptionFrame } from './fanOutServerFrames.ts'
import type { LocalServer } from './localServer.ts'

type Input = Readonly<Record<string, unknown>>

/** What a call is answered with instead of what the server would say: an error, a value as JSON, or nothing at all. */
type ScriptedAnswer = { readonly error: string } | { readonly json: unknown } | 'hang' | 'reset'

/** A subscription as the server sees it. */
export interface ServedSubscription {
  readonly consumerArn: string
  readonly shardId: string
  readonly startingPosition: Input
  /** Virtual time. */
  readonly startedAtMs: number
  /** Resolves when its connection is over, whoever ended it. */
  readonly gone: Promise<void>
  readonly isOver: boolean
  /** How many bytes wait here because the client does not take them. */
  readonly unsentBytes: number
  /** Sends an event. Resolves when it has left for the client. */
  send(event: object): Promise<void>
  /** Sends bytes as they stand. */
  sendBytes(bytes: Uint8Array): Promise<void>
  /** Sends an exception and ends. */
  fail(name: string): void
  /** Ends in order. */
  end(): void
  /** Resets the stream. */
  reset(): void
  /** Sends half of an event, then breaks the connection. */
  cut(event: object): void
}

/** A Kinesis that is spoken to over HTTP/2 and knows one stream with its registered consumers. Time is virtual: it passes on command alone. */
export interface FanOutServer extends LocalServer {
  readonly streamArn: string
  /** Registers a consumer; answers with its ARN. */
  register(name: string, status?: 'CREATING' | 'ACTIVE' | 'DELETING'): string
  /** Lets a consumer that is being created be active. */
  activate(name: string): void
  deregister(name: string): void
  /** Queues answers for the next calls of an operation. */
  script(operation: string, ...answers: readonly ScriptedAnswer[]): void
  /** The operations that were called so far. */
  calls(): readonly string[]
  /** The inputs of an operation so far. */
  requests(operation: string): readonly Input[]
  /** Resolves with the nth call of an operation, counted from 1, when it has come in. */
  arrival(operation: string, nth: number): Promise<{ readonly gone: Promise<void> }>
  /** Resolves with the nth subscription, counted from 1, as soon as it stands. */
  subscription(nth: number): Promise<ServedSubscription>
  /** Lets time pass: subscriptions of five minutes end in order. */
  pass(ms: number): void
}

const lifeMs = 300_000

/** Starts the server on a free port of the loopback interface. */
export async function startFanOutServer({
  streamName = 'orders',
  listShards,
  hasShard,
  onSubscribe,
  repeatWaitMs = 5_000,
  newConsumerStatus = 'CREATING',
}: {
  readonly streamName?: string
  /** What ListShards answers, as JSON. */
  readonly listShards: () => object
  readonly hasShard: (shardId: string) => boolean
  /** Feeds the subscriptions, where the test does not. */
  readonly onSubscribe?: (subscription: ServedSubscription) => void
  /** How long after a subscription another of the same consumer and shard is refused; 5 s with Kinesis. */
  readonly repeatWaitMs?: number
  readonly newConsumerStatus?: 'CREATING' | 'ACTIVE'
}): Promise<FanOutServer> {
  const streamArn = `arn:aws:kinesis:us-east-1:123456789012:stream/${streamName}`
  const consumers = new Map<string, { readonly ConsumerName: string; readonly ConsumerARN: string; readonly ConsumerStatus: string }>()
  const scripts = new Map<string, ScriptedAnswer[]>()
  const calls: { readonly operation: string; readonly input: Input; readonly gone: Promise<void> }[] = []
  const subscriptions: ServedSubscription[] = []
  const waiting = new Set<() => void>()
  const sessions = new Set<ServerHttp2Session>()
  let nowMs = 0
  let registrations = 0

  const changed = (): void => waiting.forEach((look) => look())
  const when = <T>(find: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = find()
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const register = (name: string, status: string): string => {
    registrations += 1
    const arn = `${streamArn}/consumer/${name}:${1_700_000_000 + registrations}`
    consumers.set(name, { ConsumerName: name, ConsumerARN: arn, ConsumerStatus: status })
    return arn
  }
  const subscribe = (stream: ServerHttp2Stream, input: Input, gone: Promise<void>): void => {
    const consumerArn = String(input['ConsumerARN'])
    const shardId = String(input['ShardId'])
    const consumer = [...consumers.values()].find(({ ConsumerARN }) => ConsumerARN === consumerArn)
    if (consumer === undefined || !hasShard(shardId)) return refuse(stream, 'ResourceNotFoundException')
    if (consumer.ConsumerStatus !== 'ACTIVE') return refuse(stream, 'ResourceInUseException')
    const earlier = subscriptions.filter((one) => one.consumerArn === consumerArn && one.shardId === shardId).at(-1)
    if (earlier !== undefined && nowMs - earlier.startedAtMs < repeatWaitMs) return refuse(stream, 'ResourceInUseException')
    if (earlier?.isOver === false) earlier.fail('ResourceInUseException')
    stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' })
    stream.write(eventFrame('initial-response', {}))
    const subscription = serve(stream, {
      consumerArn,
      shardId,
      startingPosition: input['StartingPosition'] as Input,
      startedAtMs: nowMs,
      gone,
    })
    subscriptions.push(subscription)
    onSubscribe?.(subscription)
  }
  const answer = (stream: ServerHttp2Stream, operation: string, input: Input, gone: Promise<void>): void => {
    const scripted = scripts.get(operation)?.shift()
    if (scripted === 'hang') return
    if (scripted === 'reset') return stream.close(2)
    if (scripted !== undefined) return 'error' in scripted ? refuse(stream, scripted.error) : respond(stream, 200, scripted.json)
    const name = String(input['ConsumerName'])
    switch (operation) {
      case 'ListShards':
        return respond(stream, 200, listShards())
      case 'DescribeStreamSummary':
        return respond(stream, 200, { StreamDescriptionSummary: { StreamARN: streamArn, StreamName: streamName, StreamStatus: 'ACTIVE' } })
      case 'DescribeStreamConsumer': {
        const consumer = consumers.get(name)
        return consumer === undefined
          ? refuse(stream, 'ResourceNotFoundException')
          : respond(stream, 200, { ConsumerDescription: { ...consumer, StreamARN: streamArn } })
      }
      case 'RegisterStreamConsumer':
        if (consumers.has(name)) return refuse(stream, 'ResourceInUseException')
        register(name, newConsumerStatus)
        return respond(stream, 200, { Consumer: consumers.get(name) })
      case 'SubscribeToShard':
        return subscribe(stream, input, gone)
      default:
        return refuse(stream, 'UnknownOperationException')
    }
  }
  const handle = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> => {
    // A client that resets its stream is what many tests are about.
    stream.on('error', () => undefined)
    const gone = new Promise<void>((resolve) => stream.once('close', () => resolve()))
    const operation = String(headers['x-amz-target']).replace(/^.*\./, '')
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    const input = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Input
    calls.push({ operation, input, gone })
    if (!stream.destroyed) answer(stream, operation, input, gone)
    changed()
  }

  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => undefined).once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    handle(stream, headers).catch(() => stream.close())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    streamArn,
    register: (name, status = 'ACTIVE') => register(name, status),
    activate: (name) => {
      const consumer = consumers.get(name)
      if (consumer === undefined) throw new Error(`activate: no consumer ${name}`)
      consumers.set(name, { ...consumer, ConsumerStatus: 'ACTIVE' })
    },
    deregister: (name) => void consumers.delete(name),
    script: (operation, ...answers) => void scripts.set(operation, [...(scripts.get(operation) ?? []), ...answers]),
    calls: () => calls.map(({ operation }) => operation),
    requests: (operation) => calls.filter((call) => call.operation === operation).map(({ input }) => input),
    arrival: (operation, nth) => when(() => calls.filter((call) => call.operation === operation)[nth - 1]),
    subscription: (nth) => when(() => subscriptions[nth - 1]),
    pass(ms) {
      nowMs += ms
      for (const subscription of subscriptions) {
        if (!subscription.isOver && nowMs - subscription.startedAtMs >= lifeMs) subscription.end()
      }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.destroy()
      }),
  }
}

function serve(
  stream: ServerHttp2Stream,
  facts: Pick<ServedSubscription, 'consumerArn' | 'shardId' | 'startingPosition' | 'startedAtMs' | 'gone'>,
): ServedSubscription {
  let over = false
  const finish = (last: () => void): void => {
    over = true
    if (!stream.destroyed) last()
  }
  void facts.gone.then(() => finish(() => undefined))
  const sendBytes = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      if (over || stream.destroyed) resolve()
      else stream.write(bytes, () => resolve())
    })
  return {
    ...facts,
    get isOver() {
      return over
    },
    get unsentBytes() {
      return stream.writableLength
    },
    send: (event) => sendBytes(eventFrame('SubscribeToShardEvent', event)),
    sendBytes,
    fail: (name) => finish(() => stream.end(exceptionFrame(name, `${name} in the stream`))),
    end: () => finish(() => stream.end()),
    reset: () => finish(() => stream.close(2)),
    cut: (event) =>
      finish(() => {
        const bytes = eventFrame('SubscribeToShardEvent', event)
        stream.write(bytes.subarray(0, bytes.length >> 1), () => stream.session?.destroy())
      }),
  }
}

function respond(stream: ServerHttp2Stream, status: number, body: unknown): void {
  stream.respond({ ':status': status, 'content-type': 'application/x-amz-json-1.1' })
  stream.end(JSON.stringify(body))
}

function refuse(stream: ServerHttp2Stream, error: string): void {
  respond(stream, error === 'InternalFailureException' ? 500 : 400, { __type: error, message: error })
}

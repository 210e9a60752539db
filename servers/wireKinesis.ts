import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LocalServer } from './localServer.ts'
import { listShardsPage, type WireShardList } from './wireShards.ts'

/** What the server does with one request. */
export type WireAnswer =
  /** 200 with this value as JSON. */
  | { readonly json: unknown }
  /** 400, or 500 for `InternalFailureException`, with this error. */
  | { readonly error: string; readonly message?: string }
  /** 200 with this text as it stands. */
  | { readonly text: string }
  /** Sends headers and this part of the body, then destroys the connection. */
  | { readonly cut: string }
  /** Destroys the connection, sends nothing. */
  | 'reset'
  /** Never answers. */
  | 'hang'

/** A request as it came in. `gone` resolves when its connection is through with it: answered, reset or given up by the client. */
interface WireRequest {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  readonly gone: Promise<void>
}

/** A server that speaks AWS JSON 1.1 and says what it was told to say. */
export interface WireKinesis extends LocalServer {
  /**
   * Queues answers for an operation, one per request, in order; a promise holds its request back until it resolves. Requests beyond the queue are refused
   * with `UnscriptedRequest`, but for ListShards, which answers from the shards given, and GetShardIterator, which hands out `iterator-1`, `iterator-2` and so on.
   */
  script(operation: string, ...answers: readonly (WireAnswer | Promise<WireAnswer>)[]): void
  /** The requests of an operation so far. */
  requests(operation: string): readonly WireRequest[]
  /** Resolves with the nth request of an operation, counted from 1, as soon as it has come in. */
  arrival(operation: string, nth: number): Promise<WireRequest>
  /** The most requests of an operation that were in flight at once. */
  mostInFlight(operation: string): number
}

/** Starts a scripted Kinesis on a free port of the loopback interface. `shards` is what ListShards answers from. */
export async function startWireKinesis(shards: WireShardList = { shards: [] }): Promise<WireKinesis> {
  const scripts = new Map<string, (WireAnswer | Promise<WireAnswer>)[]>()
  const received: WireRequest[] = []
  const inFlight = new Map<string, { now: number; most: number }>()
  const arrivals: { operation: string; nth: number; resolve: (request: WireRequest) => void }[] = []
  let iterators = 0

  const requests = (operation: string): readonly WireRequest[] => received.filter((request) => request.operation === operation)
  const unscripted = (operation: string, input: WireRequest['input']): WireAnswer => {
    if (operation === 'ListShards') return listShardsPage(shards, input)
    if (operation !== 'GetShardIterator') return { error: 'UnscriptedRequest', message: `no answer was scripted for ${operation}` }
    iterators += 1
    return { json: { ShardIterator: `iterator-${iterators}` } }
  }
  const track = (operation: string, response: ServerResponse): Promise<void> => {
    const count = inFlight.get(operation) ?? { now: 0, most: 0 }
    count.now += 1
    count.most = Math.max(count.most, count.now)
    inFlight.set(operation, count)
    return new Promise((resolve) => {
      response.once('close', () => {
        count.now -= 1
        resolve()
      })
    })
  }
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '')
    const gone = track(operation, response)
    const input = JSON.parse(await textOf(request)) as WireRequest['input']
    const arrived: WireRequest = { operation, input, gone }
    received.push(arrived)
    const nth = requests(operation).length
    for (const waiting of arrivals) if (waiting.operation === operation && waiting.nth === nth) waiting.resolve(arrived)
    reply(response, await (scripts.get(operation)?.shift() ?? unscripted(operation, input)))
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script: (operation, ...answers) => scripts.set(operation, [...(scripts.get(operation) ?? []), ...answers]),
    requests,
    arrival: (operation, nth) =>
      new Promise((resolve) => {
        const already = requests(operation)[nth - 1]
        if (already === undefined) arrivals.push({ operation, nth, resolve })
        else resolve(already)
      }),
    mostInFlight: (operation) => inFlight.get(operation)?.most ?? 0,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function reply(response: ServerResponse, answer: WireAnswer): void {
  if (answer === 'hang' || response.destroyed) return
  if (answer === 'reset') {
    response.destroy()
    return
  }
  response.setHeader('content-type', 'application/x-amz-json-1.1')
  if ('cut' in answer) {
    response.setHeader('content-length', answer.cut.length + 1)
    response.write(answer.cut, () => response.destroy())
  } else if ('text' in answer) response.end(answer.text)
  else if ('json' in answer) response.end(JSON.stringify(answer.json))
  else {
    response.statusCode = answer.error === 'InternalFailureException' ? 500 : 400
    response.end(JSON.stringify({ __type: answer.error, message: answer.message ?? answer.error }))
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LocalServer } from '../../servers/localServer.ts'

/** What goes wrong with one request. */
type Fault =
  /** The server carries it out; the connection is reset before the answer. */
  | { readonly kind: 'loseAnswer'; readonly afterwards?: () => Promise<void> }
  /** The connection is reset, and the server never sees it. */
  | { readonly kind: 'loseRequest' }
  /** The connection is reset, and the server gets it when `delayed.arrive()` is called. */
  | { readonly kind: 'delayRequest'; readonly delayed: Delayed }
  /** Something happens before the server gets it. */
  | { readonly kind: 'first'; readonly run: () => Promise<void> }
  /** Answered in place of the server. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: object }

/** A request that is still on its way. */
export interface Delayed {
  arrive: () => Promise<void>
}

/** Stands between a client and a DynamoDB server, and spoils the requests it is told to. */
export interface DynamoDbProxy extends LocalServer {
  /** The operations of the requests that came in, in order, such as `GetItem`. */
  readonly seen: readonly string[]
  /** The last request that came in. */
  readonly lastRequest: unknown
  /** Spoils the next request of an operation; further calls queue up. */
  spoil(operation: string, fault: Fault): void
}

/** The body of an error as DynamoDB answers it. */
export function dynamoDbError(name: string, facts: object = {}): Fault {
  const body = { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: `${name}, says the proxy`, ...facts }
  return { kind: 'answer', status: 400, body }
}

/** Starts a proxy on a free port of the loopback interface. */
export async function startDynamoDbProxy(server: LocalServer): Promise<DynamoDbProxy> {
  const seen: string[] = []
  let lastRequest: unknown
  const faults = new Map<string, Fault[]>()

  const forward = (incoming: IncomingMessage, body: Buffer): Promise<{ status: number; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const outgoing = request(server.endpoint, { method: 'POST', headers: incoming.headers, agent: false }, (answer) => {
        void bodyOf(answer).then((answered) => resolve({ status: answer.statusCode ?? 500, body: answered }), reject)
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming)
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? ''
    seen.push(operation)
    lastRequest = JSON.parse(body.toString())
    const fault = faults.get(operation)?.shift()
    if (fault?.kind === 'answer') {
      outgoing.writeHead(fault.status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(fault.body))
      return
    }
    if (fault?.kind === 'delayRequest') {
      fault.delayed.arrive = async () => {
        await forward(incoming, body)
      }
    }
    if (fault?.kind === 'loseRequest' || fault?.kind === 'delayRequest') {
      incoming.socket.destroy()
      return
    }
    if (fault?.kind === 'first') await fault.run()
    const answer = await forward(incoming, body)
    if (fault?.kind === 'loseAnswer') {
      await fault.afterwards?.()
      incoming.socket.destroy()
      return
    }
    outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(answer.body)
  }

  const proxy = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    seen,
    get lastRequest() {
      return lastRequest
    },
    spoil: (operation, fault) => void faults.set(operation, [...(faults.get(operation) ?? []), fault]),
    stop: () =>
      new Promise((resolve) => {
        proxy.close(() => resolve())
        proxy.closeAllConnections()
      }),
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

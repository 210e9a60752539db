import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LocalServer } from './localServer.ts'

/** An answer byte by byte. */
export interface RawAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
  /** `stalled`: sends headers and half of the body, then nothing. `cut`: then closes the connection. `silent`: sends nothing at all. */
  readonly manner?: 'whole' | 'stalled' | 'cut' | 'silent'
}

/** A server that gives every request the same answer. */
export interface RawAnswers extends LocalServer {
  answer: RawAnswer
  /** The headers of the requests, in the order in which they came in. */
  readonly requests: readonly IncomingHttpHeaders[]
  /** How many connections were opened. */
  readonly connections: number
}

/** Starts the server on a free port of the loopback interface. */
export async function startRawAnswers(): Promise<RawAnswers> {
  const requests: IncomingHttpHeaders[] = []
  let connections = 0
  const server = createServer((request, response) => {
    requests.push(request.headers)
    request.resume().once('end', () => send(response, raw.answer))
  }).on('connection', () => {
    connections += 1
  })
  // A connection that the server closes while it is idle would fail the next request.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const raw: RawAnswers = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: { body: '{}' },
    requests,
    get connections() {
      return connections
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return raw
}

function send(response: ServerResponse, { status = 200, headers = {}, body, manner = 'whole' }: RawAnswer): void {
  if (manner === 'silent') return
  const bytes = Buffer.from(body)
  // A date of its own would differ between two answers that are to be compared.
  response.sendDate = false
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'content-length': bytes.length, ...headers })
  if (manner === 'whole') response.end(bytes)
  else response.write(bytes.subarray(0, bytes.length / 2), () => (manner === 'cut' ? response.destroy() : undefined))
}

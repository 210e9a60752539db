import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { makeCertificate } from './certificate.ts'
import { type PagesOptions, type PreparedShard, preparePages, recordNumberOf } from './pages.ts'
import { listShardsPage } from './wireShards.ts'

/** A Kinesis that serves one prepared stream under any name. */
export interface PagesServer {
  /** Over HTTP/1.1 without TLS, such as `http://127.0.0.1:4568`. */
  readonly plain: string
  /** Over HTTP/2 or HTTP/1.1, whichever the client asks for, such as `https://127.0.0.1:4567`. */
  readonly tls: string
  /** What the endpoint with TLS shows, PEM: it is to be trusted, since it signs itself. */
  readonly certificate: string
  stop(): Promise<void>
}

/**
 * Starts the server on free ports of the loopback interface, once every answer is prepared. It knows ListShards, GetShardIterator and GetRecords; it answers
 * with whole pages, and refuses positions inside a page and limits below the page with InvalidArgumentException.
 */
export async function startPagesServer(options: PagesOptions): Promise<PagesServer> {
  const answerTo = answersFrom(preparePages(options), options)
  const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    serve(request, response, answerTo).catch((error: unknown) => response.destroy(error as Error))
  }
  const certificate = makeCertificate()
  const sockets = new Set<Socket>()
  const plain = createServer(onRequest)
  const tls = createSecureServer({ ...certificate, allowHTTP1: true }, onRequest).on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const ports = await Promise.all([listen(plain), listen(tls)])
  return {
    plain: `http://127.0.0.1:${ports[0]}`,
    tls: `https://127.0.0.1:${ports[1]}`,
    certificate: certificate.cert,
    async stop() {
      const closed = [plain, tls].map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      plain.closeAllConnections()
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}

interface PreparedAnswer {
  readonly status: number
  readonly body: Buffer
}

interface Input {
  readonly ShardId?: string
  readonly ShardIteratorType?: string
  readonly StartingSequenceNumber?: string
  readonly ShardIterator?: string
  readonly Limit?: number
}

const succeed = (value: object): PreparedAnswer => ({ status: 200, body: Buffer.from(JSON.stringify(value)) })
const refuse = (error: string, message: string): PreparedAnswer => ({
  status: 400,
  body: Buffer.from(JSON.stringify({ __type: error, message })),
})

function answersFrom(shards: ReadonlyMap<string, PreparedShard>, { recordsPerPage }: PagesOptions) {
  const listed = [...shards.values()].map(({ description }) => description)
  const list = { shards: listed, trimHorizonMs: Math.min(...listed.map(({ openedAtMs }) => openedAtMs)) }

  const listShards = (input: object): PreparedAnswer => {
    const page = listShardsPage(list, { ...input })
    if (typeof page === 'object' && 'json' in page) return succeed(page.json as object)
    return refuse('InvalidArgumentException', JSON.stringify(page))
  }
  const getShardIterator = ({ ShardId = '', ShardIteratorType, StartingSequenceNumber = '' }: Input): PreparedAnswer => {
    const shard = shards.get(ShardId)
    if (shard === undefined) return refuse('ResourceNotFoundException', `Shard ${ShardId} does not exist`)
    const page = pageAt(shard, ShardIteratorType, recordNumberOf(StartingSequenceNumber))
    if (page === undefined) {
      return refuse('InvalidArgumentException', `${ShardIteratorType} ${StartingSequenceNumber}: no page of ${ShardId} starts here`)
    }
    return succeed({ ShardIterator: `${ShardId}/${page}` })
  }
  const getRecords = ({ ShardIterator = '', Limit = 10_000 }: Input): PreparedAnswer => {
    if (Limit < recordsPerPage) return refuse('InvalidArgumentException', `Limit ${Limit}: pages hold ${recordsPerPage} records`)
    const [shardId = '', page] = ShardIterator.split('/')
    const body = shards.get(shardId)?.pages[Number(page)]
    return body === undefined
      ? refuse('InvalidArgumentException', `ShardIterator ${ShardIterator}: not from this server`)
      : { status: 200, body }
  }

  return (operation: string, input: object): PreparedAnswer => {
    if (operation === 'GetRecords') return getRecords(input)
    if (operation === 'GetShardIterator') return getShardIterator(input)
    if (operation === 'ListShards') return listShards(input)
    return refuse('UnknownOperationException', `${operation}: this server has ListShards, GetShardIterator and GetRecords`)
  }
}

function pageAt(shard: PreparedShard, type: string | undefined, recordNumber: number): number | undefined {
  if (type === 'TRIM_HORIZON') return 0
  if (type === 'LATEST') return shard.pages.length - 1
  if (type === 'AT_SEQUENCE_NUMBER') return shard.pageAfter(recordNumber - 1)
  if (type === 'AFTER_SEQUENCE_NUMBER') return shard.pageAfter(recordNumber)
  return undefined
}

async function serve(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  answerTo: (operation: string, input: object) => PreparedAnswer,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '')
  const { status, body } = answerTo(operation, JSON.parse(Buffer.concat(chunks).toString('utf8')) as object)
  response.statusCode = status
  response.setHeader('content-type', 'application/x-amz-json-1.1')
  response.setHeader('content-length', body.length)
  response.end(body)
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

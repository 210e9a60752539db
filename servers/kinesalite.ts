import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { LocalServer } from './localServer.ts'

interface KinesaliteOptions {
  readonly createStreamMs: number
  readonly deleteStreamMs: number
  readonly updateStreamMs: number
  readonly shardLimit: number
}

// The package ships no types.
const kinesalite = createRequire(import.meta.url)('kinesalite') as (options: KinesaliteOptions) => Server

/** Starts kinesalite inside this process, on a free port of the loopback interface. It speaks HTTP/1.1 only. */
export async function startKinesalite(): Promise<LocalServer> {
  const server = kinesalite({ createStreamMs: 5, deleteStreamMs: 5, updateStreamMs: 5, shardLimit: 200 })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { LocalServer } from './localServer.ts'

interface DynaliteOptions {
  readonly createTableMs: number
  readonly deleteTableMs: number
  readonly updateTableMs: number
}

// The package ships no types.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: DynaliteOptions) => Server

/** Starts dynalite inside this process, on a free port of the loopback interface. It has no transactions, and a failed condition comes without the item. */
export async function startDynalite(): Promise<LocalServer> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined || error === null ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDelayingProxy } from '../../servers/delayingProxy.ts'
import type { LocalServer } from '../../servers/localServer.ts'

let echo: Server
let proxy: LocalServer
const roundTripMs = 40
beforeEach(async () => {
  echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await startDelayingProxy(`https://127.0.0.1:${(echo.address() as { port: number }).port}`, roundTripMs)
})
afterEach(async () => {
  await proxy.stop()
  echo.close()
})

const dial = (): Socket => connect(Number(new URL(proxy.endpoint).port), '127.0.0.1')

describe('the delaying proxy', () => {
  it('has the scheme of its target, on another port', () => {
    expect(proxy.endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  })

  it('hands every byte on, in order, and the end after them', async () => {
    const socket = dial()
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
    socket.end(sent)
    const received: Buffer[] = []
    for await (const bytes of socket) received.push(bytes as Buffer)

    expect(Buffer.concat(received).equals(sent)).toBe(true)
  })

  it('holds bytes back for half a round trip in each direction', async () => {
    const waits = vi.spyOn(globalThis, 'setTimeout')
    const socket = dial()
    socket.write('hello')
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    const delays = waits.mock.calls.map(([, delayMs]) => delayMs).filter((delayMs) => delayMs === roundTripMs / 2)
    waits.mockRestore()
    socket.destroy()

    expect(bytes.toString()).toBe('hello')
    expect(delays).toHaveLength(2)
  })
})

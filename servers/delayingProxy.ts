import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { LocalServer } from './localServer.ts'

/**
 * Starts a proxy on a free port of the loopback interface that hands on every byte, in order, half of `roundTripMs` after it came. Opening a connection takes
 * no time, unlike over a network; its endpoint has the scheme of the target's.
 */
export async function startDelayingProxy(target: string, roundTripMs: number): Promise<LocalServer> {
  const { protocol, hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const track = (socket: Socket): void => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    for (const socket of [near, far]) track(socket.setNoDelay())
    handOn(near, far, roundTripMs / 2)
    handOn(far, near, roundTripMs / 2)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Timers of one length fire in the order in which they were set. */
function handOn(from: Socket, to: Socket, delayMs: number): void {
  const later = (act: () => void): void => {
    if (to.destroyed) return
    setTimeout(() => {
      if (!to.destroyed) act()
    }, delayMs)
  }
  from.on('data', (bytes) => later(() => to.write(bytes)))
  from.once('end', () => later(() => to.end()))
  // What came before is still handed on.
  from.once('error', () => later(() => to.destroy()))
  from.once('close', () => later(() => to.end()))
}

import { compareSequenceNumbers, type Lease } from '@shardwise/effects'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliRun, killAll, type Line, localAws, recorder, startCli } from './cliRun.ts'
import { type CliServers, startServers } from './cliServers.ts'

let servers: CliServers
beforeAll(async () => {
  servers = await startServers()
})
afterAll(async () => {
  killAll()
  await servers.stop()
})

/** Small batches and short waits; a lease is free for others after a second. */
const quick = ['--max-records', '10', '--idle-ms', '50', '--failover-ms', '1000', '--scan-ms', '100']

const consume = (name: string, workerId: string, env: Readonly<Record<string, string>> = {}, more: readonly string[] = []): CliRun =>
  startCli(
    ['consume', '--stream', name, '--application', name, '--worker-id', workerId, '--processor', recorder].concat(
      servers.endpoints,
      quick,
      more,
    ),
    { ...localAws, ...env },
  )

const ordersIn = (lines: readonly Line[]): readonly string[] => lines.flatMap(({ order }) => (order === undefined ? [] : [order]))

/** The last sequence number that each shard delivered. */
const lastIn = (lines: readonly Line[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    lines.flatMap(({ shardId, sequenceNumber }) =>
      shardId === undefined || sequenceNumber === undefined ? [] : [[shardId, sequenceNumber]],
    ),
  )

/** The shards whose processors were initialised, however often. */
const initializedIn = (lines: readonly Line[]): ReadonlySet<string | undefined> =>
  new Set(lines.flatMap(({ shardId, initialized }) => (initialized === undefined ? [] : [shardId])))

const isHeld = (lines: readonly Line[]): boolean => lines.some(({ held }) => held !== undefined)

describe.concurrent('a worker that gets SIGTERM half way', () => {
  it('finishes its batch, checkpoints it, gives up its leases, and leaves the rest to the next run: nothing is lost or delivered twice', async () => {
    const orders = await servers.fillStream('graceful', 2, 200)

    const first = consume('graceful', 'first', { HOLD_AT: '75' })
    await first.until(isHeld)
    first.kill('SIGTERM')
    const { code, stderr } = await first.ended
    const between = await servers.leases('graceful')
    const second = consume('graceful', 'second')
    await second.until((lines) => ordersIn(lines).length + ordersIn(first.lines).length >= orders.length)
    second.kill('SIGTERM')

    expect(code).toBe(0)
    expect(stderr).toMatch(/info stopped: \d+ records delivered, every lease given up\n$/)
    expect(ordersIn(first.lines).length).toBeLessThan(orders.length)
    expect(between.map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
    expect(Object.fromEntries(between.map(({ leaseKey, checkpoint }) => [leaseKey, checkpoint.sequenceNumber]))).toEqual(
      lastIn(first.lines),
    )
    expect((await second.ended).code).toBe(0)
    expect([...ordersIn(first.lines), ...ordersIn(second.lines)].sort()).toEqual([...orders].sort())
  })
})

describe.concurrent('a worker that is killed half way', () => {
  it('loses nothing to the next one, whose checkpoints never fall below those it found', async () => {
    const orders = await servers.fillStream('killed', 2, 200)
    const seen: (readonly Lease[])[] = []
    const look = async (): Promise<void> => void seen.push(await servers.leases('killed'))

    const first = consume('killed', 'first', { HOLD_AT: '75', HOLD: 'forever' })
    await first.until((lines) => ordersIn(lines).length >= 30)
    await look()
    await first.until(isHeld)
    await look()
    first.kill('SIGKILL')
    await first.ended
    await look()
    const second = consume('killed', 'second')
    for (const share of [0, 0.3, 0.6, 1]) {
      await second.until((lines) => new Set([...ordersIn(first.lines), ...ordersIn(lines)]).size >= share * orders.length)
      await look()
    }
    second.kill('SIGTERM')
    await second.ended
    await look()

    expect(seen[2]?.map(({ leaseOwner }) => leaseOwner)).toEqual(['first', 'first'])
    expect(new Set([...ordersIn(first.lines), ...ordersIn(second.lines)])).toEqual(new Set(orders))
    expect(fallsIn(seen)).toEqual([])
    const final = Object.fromEntries((seen.at(-1) ?? []).map(({ leaseKey, checkpoint }) => [leaseKey, checkpoint.sequenceNumber]))
    expect(final).toEqual(lastIn([...first.lines, ...second.lines]))
  })
})

/** Every place where a checkpoint went down between two looks at the table. */
function fallsIn(seen: readonly (readonly Lease[])[]): readonly string[] {
  return seen.slice(1).flatMap((leases, index) =>
    leases.flatMap(({ leaseKey, checkpoint }) => {
      const before = seen[index]?.find((lease) => lease.leaseKey === leaseKey)?.checkpoint
      return before !== undefined && compareSequenceNumbers(checkpoint, before) < 0 ? [`${leaseKey} after look ${index}`] : []
    }),
  )
}

describe.concurrent('a worker whose record processor does not return', () => {
  it('gives up its leases at a second SIGTERM and exits with 143', async () => {
    await servers.fillStream('hanging', 2, 20)

    // Nobody waits for a lease to expire here, and on a busy machine none may.
    const hanging = consume('hanging', 'first', { HOLD_AT: '1', HOLD: 'forever' }, ['--failover-ms', '60000'])
    await hanging.until((lines) => isHeld(lines) && initializedIn(lines).size === 2)
    hanging.kill('SIGTERM')
    await hanging.untilLogged('SIGTERM: stopping')
    hanging.kill('SIGTERM')
    const { code } = await hanging.ended

    expect(code).toBe(143)
    expect((await servers.leases('hanging')).map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
  })
})

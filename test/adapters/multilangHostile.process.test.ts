import { existsSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { aLedger, answer, aRecord, hostChild, isAlive, scripted } from './multilang/setting.ts'

/** Times that leave a slow machine room where a child is to answer, and end quickly one that does not. */
const quick = { exitTimeoutMs: 300, killTimeoutMs: 300 }

/** Says its process id on stderr, for a test that looks whether it still runs. */
const tellPid = "err('pid ' + process.pid + '\\n')"
const pidIn = (warnings: readonly string[]): number => Number(/pid (\d+)/.exec(warnings.join('\n'))?.[1])

describe('a child that writes what is no message', () => {
  it('is heard out: each line is told, and nothing else follows', async () => {
    const lines = ['starting', '42', 'null', '{"action":"leaseLost"}', '{"action":"checkpoint","checkpoint":"1"}']
    const child = hostChild(scripted(`${lines.map((line) => `say(${JSON.stringify(line)})`).join(';')};${answer}`, answer))

    expect(await child.initialize()).toEqual({ type: 'initialized' })
    await child.leaseLost()

    expect(child.warnings).toEqual(lines.map((line) => `shardId-000000000000: stdout: ${line}`))
    expect(child.requests).toEqual([])
  })

  it('may write lines without end: they are kept in part, on stdout and on stderr, and cannot steer a terminal', async () => {
    const child = hostChild(
      scripted(`process.stdout.write('x'.repeat(5_000_000)); ${answer}; err('\\u001b[31m' + 'y'.repeat(5_000_000))`, answer),
    )

    await child.initialize()
    await child.leaseLost()

    expect(child.warnings).toEqual([
      `shardId-000000000000: stdout: ${'x'.repeat(1_000)}…`,
      `shardId-000000000000: stderr: ?[31m${'y'.repeat(995)}…`,
    ])
  })

  it('is told of by lines, though it ends none of them', async () => {
    const child = hostChild(scripted(`${answer}; err('no newline here')`, answer))

    await child.initialize()
    await child.leaseLost()

    expect(child.warnings).toEqual(['shardId-000000000000: stderr: no newline here'])
  })
})

describe('a child that breaks the protocol', () => {
  it.each([
    ['a status for another action', "done('shardEnded')", 'it answered processRecords with a status for shardEnded'],
    ['a status for nothing', "say({ action: 'status' })", 'it answered processRecords with a status for nothing'],
    ['the end of its stdout', "require('fs').closeSync(1)", 'it closed its stdout, or ended'],
  ])('is gone, and has ended, at %s', async (_, code, reason) => {
    const child = hostChild(scripted(`${tellPid};${answer}`, `${code};setInterval(() => {}, 1000)`), quick)

    await child.initialize()
    expect(await child.processRecords([aRecord('1')])).toEqual({ type: 'processorGone' })

    expect(child.warnings.at(-1)).toContain(`the child process failed during processRecords: ${reason}: ended by SIGTERM`)
    expect(isAlive(pidIn(child.warnings))).toBe(false)
  })

  it('is gone at a status for nothing, also when it is the first', async () => {
    const child = hostChild(scripted("say({ action: 'status' })"), quick)

    expect(await child.initialize()).toMatchObject({
      type: 'initializeFailed',
      error: { message: expect.stringContaining('it answered initialize with a status for nothing') as string },
    })
  })

  it('is gone at too many messages while a checkpoint is out', async () => {
    const child = hostChild(scripted(answer, 'for (let n = 0; n < 20; n += 1) checkpoint()'), { ...quick, settle: () => undefined })

    await child.initialize()
    expect(await child.processRecords([aRecord('1')])).toEqual({ type: 'processorGone' })

    expect(child.requests).toHaveLength(1)
    expect(child.warnings.at(-1)).toContain('it sent more than 16 messages while a checkpoint was out')
  })

  it('is gone when it does not read what is written to it', async () => {
    const child = hostChild(scripted(`${answer}; process.stdin.destroy(); require('fs').closeSync(0); setInterval(() => {}, 1000)`), quick)

    await child.initialize()
    expect(await child.processRecords([aRecord('1', 'x'.repeat(1_000_000))])).toEqual({ type: 'processorGone' })

    expect(child.warnings.at(-1)).toContain('it does not read its stdin')
  })

  it('is gone when it does not answer in time', async () => {
    const child = hostChild(scripted(`${tellPid};${answer}`, ''), { ...quick, timeoutMs: 4_000 })

    await child.initialize()
    expect(await child.shutdownRequested()).toEqual({ type: 'processorGone' })

    expect(child.warnings.at(-1)).toContain('it did not answer shutdownRequested within 4000 ms: ended by SIGTERM')
    expect(isAlive(pidIn(child.warnings))).toBe(false)
  })

  it('is gone at the next action when it has ended between two', async () => {
    const child = hostChild(scripted(`${answer};err('leaving');setTimeout(() => process.exit(4), 50)`), quick)

    await child.initialize()
    await child.warned('leaving')
    expect(await child.processRecords([aRecord('1')])).toEqual({ type: 'processorGone' })

    expect(child.warnings.at(-1)).toMatch(/failed during processRecords: .*: exit code 4$/)
  })

  it('leaves nothing of its records in what is told of it', async () => {
    const child = hostChild(scripted(answer, "done('shardEnded')"), quick)

    await child.initialize()
    await child.processRecords([aRecord('1', 'secret payload', { partitionKey: 'secret key' })])

    const told = child.warnings.join('\n')
    expect(told).toContain('it answered processRecords')
    expect(told).not.toMatch(/secret|c2VjcmV0/)
  })
})

describe('a child that cannot be initialised', () => {
  it('is told of by its failure, and another one is tried at the next attempt', async () => {
    const folder = aLedger()
    const once = `if (!require('fs').existsSync(${JSON.stringify(folder.file)})) { require('fs').writeFileSync(${JSON.stringify(folder.file)}, ''); process.exit(3) }`
    const child = hostChild(scripted(`${once};${answer}`, answer), quick)

    expect(await child.initialize()).toEqual({
      type: 'initializeFailed',
      error: {
        name: 'ChildProcessError',
        message: 'the child process failed during initialize: it closed its stdout, or ended: exit code 3',
      },
    })
    expect(await child.initialize()).toEqual({ type: 'initialized' })
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })
    folder.remove()
  })

  it('names a program that is not there', async () => {
    const child = hostChild(['/nowhere/processor'], quick)

    expect(await child.initialize()).toEqual({
      type: 'initializeFailed',
      error: { name: 'ChildProcessError', message: expect.stringContaining('spawn /nowhere/processor ENOENT') as string },
    })
  })

  it('gets its arguments as they are: no shell reads them', async () => {
    const folder = aLedger()
    const child = hostChild(
      [
        ...scripted("err(JSON.stringify(process.argv.slice(-2)) + '\\n');done(message.action)", answer),
        `; touch ${folder.file}`,
        `$(touch ${folder.file})`,
      ],
      quick,
    )

    await child.initialize()
    await child.leaseLost()

    expect(child.warnings[0]).toContain(JSON.stringify([`; touch ${folder.file}`, `$(touch ${folder.file})`]))
    expect(existsSync(folder.file)).toBe(false)
    folder.remove()
  })
})

describe('a child that does not end', () => {
  it('gets SIGTERM after its deadline, and has been told of its lost lease', async () => {
    const child = hostChild(scripted(`${tellPid};setInterval(() => {}, 1000);${answer}`, answer), quick)

    await child.initialize()
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    expect(child.warnings.at(-1)).toBe('shardId-000000000000: the child process ended after leaseLost: ended by SIGTERM')
    expect(isAlive(pidIn(child.warnings))).toBe(false)
  })

  it('gets SIGKILL after a second deadline', async () => {
    const child = hostChild(scripted(`${tellPid};process.on('SIGTERM', () => {});setInterval(() => {}, 1000);${answer}`, answer), quick)

    await child.initialize()
    expect(await child.shardEnded()).toEqual({ type: 'shardEndedNotified' })

    expect(child.warnings.at(-1)).toBe('shardId-000000000000: the child process ended after shardEnded: ended by SIGKILL')
    expect(isAlive(pidIn(child.warnings))).toBe(false)
  })

  const spawnHolder = (detached: boolean): string =>
    `const holder = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: ['ignore', 'inherit', 'inherit'], detached: ${detached} });` +
    `holder.unref(); err('pid ' + holder.pid + '\\n')`

  it('leaves no process of its group behind that holds its pipes', async () => {
    const child = hostChild(scripted(`${spawnHolder(false)};${answer}`, answer), quick)

    await child.initialize()
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    // Its pipes close a moment before it has ended.
    await vi.waitFor(() => expect(isAlive(pidIn(child.warnings))).toBe(false), { timeout: 10_000 })
  })

  it('is let go where a process of another group holds its pipes', async () => {
    const child = hostChild(scripted(`${spawnHolder(true)};${answer}`, answer), { exitTimeoutMs: 100, killTimeoutMs: 100 })

    await child.initialize()
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    process.kill(pidIn(child.warnings), 'SIGKILL')
  })

  it('is ended when its consumer is closed while it has nothing to do', async () => {
    const child = hostChild(scripted(`${tellPid};setInterval(() => {}, 1000);${answer}`), quick)

    await child.initialize()
    await child.warned('pid')
    child.close()

    await vi.waitFor(() => expect(isAlive(pidIn(child.warnings))).toBe(false), { timeout: 10_000 })
  })

  it('is ended when its consumer is closed', async () => {
    const child = hostChild(scripted(`${tellPid};${answer}`, ''), quick)

    await child.initialize()
    const waiting = child.processRecords([aRecord('1')])
    child.close()

    expect(await waiting).toEqual({ type: 'processorGone' })
    expect(isAlive(pidIn(child.warnings))).toBe(false)
    await expect(child.initialize()).rejects.toThrow('the consumer of the shard has ended')
  })
})

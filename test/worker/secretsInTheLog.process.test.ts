import { childProcessors } from '@shardwise/multilang'
import { Worker, type WorkerOptions } from 'shardwise'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type RawAnswers, startRawAnswers } from '../../servers/rawAnswers.ts'
import { page, wireFixture } from '../adapters/kinesisWire.ts'
import { framed, partitionKey, userRecord } from '../adapters/kplMessages.ts'
import { scripted } from '../adapters/multilang/setting.ts'
import { aDiary, aLogger, aWatch, aWorker, aWorld, consumerHeard, deliveredCount, quick } from './workerSetting.ts'

const s0 = 'shardId-000000000000'
const secret = 'cardholder 4929 1111 2222 3333'
/** A secret as a log might show it: as text, and in the encodings that pass through here. */
const forms = (text: string): readonly string[] => [
  text,
  Buffer.from(text).toString('base64').slice(0, -4),
  Buffer.from(text).toString('hex'),
  [...Buffer.from(text)].join(','),
]
const leaks = (lines: readonly string[], ...secrets: readonly string[]): readonly string[] =>
  lines.filter((line) => secrets.flatMap(forms).some((form) => line.includes(form)))

let servers: { stop(): Promise<void> }[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
})

describe('the log of a worker, from debug on, tells nothing of a record', () => {
  it('that fails, is delivered again and is checkpointed', async () => {
    const [world, watch, logger, diary] = [aWorld(), aWatch(), aLogger(), aDiary()]
    const data = Buffer.from(secret)
    for (let n = 0; n < 3; n += 1) world.stream.put({ partitionKey: secret, data })
    let failures = 0
    const worker = aWorker(world, {
      logger,
      observe: watch.observe,
      processor: (shardId) => ({
        ...diary.processor(shardId),
        async processRecords(input) {
          failures += 1
          if (failures < 3) throw new TypeError('not today')
          await diary.processor(shardId).processRecords(input)
        },
      }),
    })
    const all = watch.until('all records', deliveredCount(diary, 3))
    const running = worker.run()
    await all
    await worker.stop()
    await running

    expect(diary.delivered).toEqual([secret, secret, secret])
    expect(logger.lines).toContain(`debug ${s0}: processRecords`)
    expect(logger.lines).toContain(`warn ${s0}: recordsFailed: TypeError: not today`)
    expect(leaks(logger.lines, secret)).toEqual([])
  })

  it('that a child process gets, which then breaks the protocol', async () => {
    const [world, watch, logger] = [aWorld(), aWatch(), aLogger()]
    world.stream.put({ partitionKey: secret, data: Buffer.from(secret) })
    const worker = aWorker(world, {
      logger,
      observe: watch.observe,
      processor: childProcessors({ command: scripted('done(message.action)', "done('nothing of the kind')"), logger }),
    })
    const gone = watch.until('the end of the child', consumerHeard('processorGone'))
    const running = worker.run()
    await gone
    await worker.stop({ force: true })
    await running

    expect(logger.lines.join('\n')).toContain('it answered processRecords with a status for nothing of the kind')
    expect(leaks(logger.lines, secret)).toEqual([])
  })

  it('in an answer of Kinesis that is broken off in the middle of it', async () => {
    const { wire, open, read, stop } = await wireFixture()
    servers.push({ stop })
    const whole = JSON.stringify({ Records: [{ SequenceNumber: '1', PartitionKey: secret, Data: Buffer.from(secret).toString('base64') }] })
    await open()
    for (const broken of [whole.slice(0, -3), whole.replace('","Data', '"x"Data'), whole.replace(/.$/, 'x')]) {
      wire.script('GetRecords', { text: broken })
      const error = await read().then(
        () => new Error('it was read'),
        (rejection: unknown) => rejection as Error,
      )

      expect(error.message).toBe(`GetRecords of shard ${s0}: the answer is not valid JSON`)
    }
  })

  it('of an aggregate that is not delivered whole', async () => {
    const told: string[] = []
    const { wire, open, read, stop } = await wireFixture({ onDroppedRecords: (dropped) => told.push(JSON.stringify(dropped)) })
    servers.push({ stop })
    const data = framed(partitionKey(secret), userRecord(0, secret), userRecord(9, secret))
    await open()
    wire.script(
      'GetRecords',
      page([], 'i2', { Records: [{ SequenceNumber: '1', PartitionKey: 'k', Data: Buffer.from(data).toString('base64') }] }),
    )
    await read()

    expect(told).toEqual([expect.stringContaining('"malformed","delivered":1,"dropped":1')])
    expect(leaks(told, secret)).toEqual([])
  })
})

describe('the log of a worker, from debug on, tells nothing of its credentials', () => {
  const [id, key, token] = ['AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'IQoJb3JpZ2luX2VjEXAMPLETOKEN']

  /** What a worker logs, and what it fails with, when every answer is this one. */
  async function refused(answer: RawAnswers['answer']): Promise<{ readonly lines: readonly string[]; readonly sent: string }> {
    vi.stubEnv('AWS_ACCESS_KEY_ID', id)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', key)
    vi.stubEnv('AWS_SESSION_TOKEN', token)
    const raw = await startRawAnswers()
    servers.push(raw)
    raw.answer = answer
    const logger = aLogger()
    const options: WorkerOptions = {
      ...quick,
      maxInitializationAttempts: 2,
      streamName: 'orders',
      region: 'us-east-1',
      kinesisEndpoint: raw.endpoint,
      dynamodbEndpoint: raw.endpoint,
      logger,
      processor: aDiary().processor,
    }
    await expect(new Worker(options).run()).rejects.toThrow(Error)
    return { lines: logger.lines, sent: JSON.stringify(raw.requests) }
  }

  it('when they are refused, though AWS quotes the headers that were signed', async () => {
    const canonical = `POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:127.0.0.1\nx-amz-date:20260131T120000Z\nx-amz-security-token:${token}\n`
    const message = `The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'${canonical}\ncontent-type;host;x-amz-date;x-amz-security-token\n'`
    const { lines, sent } = await refused({ status: 400, body: JSON.stringify({ __type: 'InvalidSignatureException', message }) })

    // It was sent, and it came back.
    expect(sent).toContain(token)
    expect(lines.join('\n')).toContain(
      'The request signature we calculated does not match the signature you provided. The Canonical String',
    )
    expect(lines.filter((line) => line.includes('\n'))).toEqual([])
    expect(leaks(lines, key, token)).toEqual([])
  })

  it('when the server speaks of them in a way that nobody understands', async () => {
    const { lines } = await refused({ status: 500, body: `<html>${token}</html>` })

    expect(lines.length).toBeGreaterThan(0)
    expect(leaks(lines, key, token)).toEqual([])
  })
})

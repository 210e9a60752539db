import { Agent as HttpsAgent } from 'node:https'
import { createKinesisClient, type KinesisClientOptions } from '@shardwise/kinesis'
import { describe, expect, it } from 'vitest'

const credentials = { accessKeyId: 'test', secretAccessKey: 'the secret' }
const client = (options: unknown) => createKinesisClient(options as KinesisClientOptions)

describe('the options of a client', () => {
  it.each<[unknown, string]>([
    [
      { regoin: 'x' },
      'regoin: unknown option; expected one of region, credentials, profile, useFipsEndpoint, useDualstackEndpoint, endpoint, ',
    ],
    [{ requestHandler: {} }, 'requestHandler: unknown option; expected one of region'],
    [{ maxAttempts: 3 }, 'maxAttempts: unknown option; expected one of region'],
    [{ toString: 1 }, 'toString: unknown option; expected one of region'],
    [{ region: '' }, 'region: expected the name of a region or a function that promises one, got ""'],
    [{ region: null }, 'region: expected the name of a region or a function that promises one, got null'],
    [{ profile: 5 }, 'profile: expected the name of a profile, got 5'],
    [{ useFipsEndpoint: 'yes' }, 'useFipsEndpoint: expected true, false or a function that promises one, got "yes"'],
    [{ endpoint: 'localhost:4568' }, 'endpoint: expected an http or https URL, got "localhost:4568"'],
    [{ endpoint: {} }, 'endpoint: expected an http or https URL, got another object'],
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs: expected a whole number of milliseconds from 1 to 2147483647, got 0'],
    [
      { requestTimeoutMs: Number.POSITIVE_INFINITY },
      'requestTimeoutMs: expected a whole number of milliseconds from 1 to 2147483647, got Infinity',
    ],
    [{ connectionTimeoutMs: '5' }, 'connectionTimeoutMs: expected a whole number of milliseconds from 1 to 2147483647, got "5"'],
    [{ maxSockets: 1.5 }, 'maxSockets: expected a whole number from 1 to 65535, got 1.5'],
    [{ httpsAgent: { keepAlive: true } }, 'httpsAgent: expected an agent of node:https, got another object'],
    [{ httpsAgent: new HttpsAgent(), maxSockets: 9 }, 'maxSockets: expected none beside httpsAgent, which has its own, got 9'],
    [null, 'options: expected an object, got null'],
  ])('are refused with one sentence: %j', (options, message) => {
    expect(() => client(options)).toThrow(message)
  })

  it('do not appear in an error when they are secret', () => {
    expect(() => client({ credentials: { secretAccessKey: 'the secret' } })).toThrow(
      /^credentials: expected \{ accessKeyId, secretAccessKey } or a function that promises them, got something else$/,
    )
  })

  it('may be left out, or undefined, all of them', () => {
    createKinesisClient().destroy()
    client({ region: undefined, credentials: undefined, endpoint: undefined, maxSockets: undefined, requestTimeoutMs: undefined }).destroy()
  })

  it('reach the client of the SDK', async () => {
    const made = createKinesisClient({ region: 'eu-west-3', credentials, useFipsEndpoint: true })

    expect(await made.config.region()).toBe('eu-west-3')
    expect(await made.config.credentials()).toMatchObject(credentials)
    expect(await made.config.useFipsEndpoint()).toBe(true)
    expect(await made.config.maxAttempts()).toBe(1)
    made.destroy()
  })
})

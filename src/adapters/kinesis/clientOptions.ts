import { Agent } from 'node:http'
import type { KinesisClientConfig } from '@aws-sdk/client-kinesis'

type OfTheClient = 'region' | 'credentials' | 'profile' | 'useFipsEndpoint' | 'useDualstackEndpoint'

/** What a client is made of; what is left out comes from the SDK's default chain, or from the defaults named here. */
export type KinesisClientOptions = { readonly [Name in OfTheClient]?: KinesisClientConfig[Name] | undefined } & {
  /** Such as `http://127.0.0.1:4568`. */
  readonly endpoint?: string | undefined
  /** How long an answer may take to begin, and how long it may pause, before the call rejects with `TimeoutError`; 30,000 when left out. */
  readonly requestTimeoutMs?: number | undefined
  /** How long a connection may take to open before the call rejects with `TimeoutError`; 5,000 when left out. */
  readonly connectionTimeoutMs?: number | undefined
  /** The most connections at once, each with one call; 256 when left out. */
  readonly maxSockets?: number | undefined
  /** An agent for a proxy or for certificates of your own; give it `keepAlive: true`. It has a `maxSockets` of its own. */
  readonly httpsAgent?: Agent | undefined
}

type Rule = readonly [expected: string, holds: (value: unknown) => boolean]

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== ''
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isFlag: Rule = ['true, false or a function that promises one', (value) => typeof value === 'boolean' || isFunction(value)]
const wholeNumber = (of: string, most: number): Rule => [
  `a whole number${of} from 1 to ${most}`,
  (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most,
]
const milliseconds = wholeNumber(' of milliseconds', 2 ** 31 - 1)

const rules: Readonly<Record<keyof KinesisClientOptions, Rule>> = {
  region: ['the name of a region or a function that promises one', (value) => isText(value) || isFunction(value)],
  credentials: ['{ accessKeyId, secretAccessKey } or a function that promises them', (value) => hasKeys(value) || isFunction(value)],
  profile: ['the name of a profile', isText],
  useFipsEndpoint: isFlag,
  useDualstackEndpoint: isFlag,
  endpoint: ['an http or https URL', isUrl],
  requestTimeoutMs: milliseconds,
  connectionTimeoutMs: milliseconds,
  maxSockets: wholeNumber('', 65_535),
  httpsAgent: ['an agent of node:https', (value) => value instanceof Agent],
}

/** @throws Error that names the first option that is unknown or cannot be used. */
export function checkClientOptions(options: KinesisClientOptions): void {
  if (typeof options !== 'object' || options === null) throw new Error(`options: expected an object, got ${String(options)}`)
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof KinesisClientOptions] : undefined
    if (rule === undefined) throw new Error(`${name}: unknown option; expected one of ${Object.keys(rules).join(', ')}`)
    const [expected, holds] = rule
    // A secret must not end up in a log.
    const got = name === 'credentials' ? 'something else' : shown(value)
    if (value !== undefined && !holds(value)) throw new Error(`${name}: expected ${expected}, got ${got}`)
  }
  if (options.maxSockets !== undefined && options.httpsAgent !== undefined) {
    throw new Error(`maxSockets: expected none beside httpsAgent, which has its own, got ${options.maxSockets}`)
  }
}

function hasKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { accessKeyId, secretAccessKey }: { accessKeyId?: unknown; secretAccessKey?: unknown } = value
  return isText(accessKeyId) && isText(secretAccessKey)
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'another object'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

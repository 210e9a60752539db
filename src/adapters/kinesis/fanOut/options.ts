import { checkOptions, type KinesisRecordSourceOptions } from '../options.ts'
import { streamOfRequest } from '../streamAddress.ts'

/** What a fan-out record source is made of: exactly one of `consumerArn` and `consumerName`, and what polling takes. */
export interface FanOutRecordSourceOptions extends KinesisRecordSourceOptions {
  /** A registered consumer of the stream. It is used as it is, and nothing is asked about it. */
  readonly consumerArn?: string | undefined
  /** A consumer of the stream by its name. The first opening of a shard finds it, or registers it; it is never deregistered. */
  readonly consumerName?: string | undefined
}

const known = {
  client: true,
  stream: true,
  consumerArn: true,
  consumerName: true,
  batches: true,
  onThrottle: true,
  now: true,
  callTimeoutMs: true,
  deaggregate: true,
  hashKeyRangeOf: true,
  onDroppedRecords: true,
} satisfies Record<keyof FanOutRecordSourceOptions, true>

const namePattern = /^[a-zA-Z0-9_.-]{1,128}$/
const arnPattern = /^(arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream\/([a-zA-Z0-9_.-]{1,128}))\/consumer\/[a-zA-Z0-9_.-]{1,128}:[0-9]+$/

/** @throws Error that names the first option that is unknown or cannot be used. */
export function checkFanOutOptions(options: FanOutRecordSourceOptions): void {
  if (typeof options !== 'object' || options === null) throw new Error(`options: expected an object, got ${String(options)}`)
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) throw new Error(`${name}: unknown option; expected one of ${Object.keys(known).join(', ')}`)
  }
  const { consumerArn, consumerName, ...reading } = options
  checkOptions(reading)
  const stream = streamOfRequest(options.stream)
  if ((consumerArn === undefined) === (consumerName === undefined)) {
    const got = consumerArn === undefined ? 'neither' : 'both'
    throw new Error(`consumerArn: expected either it or consumerName, got ${got}`)
  }
  if (consumerName !== undefined && (typeof consumerName !== 'string' || !namePattern.test(consumerName))) {
    throw new Error(`consumerName: expected 1 to 128 letters, digits, "_", "." or "-", got ${JSON.stringify(consumerName)}`)
  }
  if (consumerArn === undefined) return
  const [, streamArn, streamName] = (typeof consumerArn === 'string' ? arnPattern.exec(consumerArn) : null) ?? []
  if (streamArn === undefined) {
    throw new Error(`consumerArn: expected the ARN of a consumer of a Kinesis stream, got ${JSON.stringify(consumerArn)}`)
  }
  const wanted = 'StreamName' in stream ? stream.StreamName : stream.StreamARN
  if (wanted !== ('StreamName' in stream ? streamName : streamArn)) {
    throw new Error(`consumerArn: expected a consumer of ${wanted}, got ${JSON.stringify(consumerArn)}`)
  }
}

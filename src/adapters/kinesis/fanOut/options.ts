import { checkOptions, type KinesisRecordSourceOptions } from '../options.ts'
import { type StreamAddress, streamOfRequest } from '../streamAddress.ts'

/** A registered consumer of a stream: exactly one of the two. */
export interface StreamConsumerAddress {
  /** It is used as it is, and nothing is asked about it. */
  readonly consumerArn?: string | undefined
  /** The first opening of a shard finds the consumer of this name, or registers it; it is never deregistered. */
  readonly consumerName?: string | undefined
}

/** What a fan-out record source is made of: its consumer, and what polling takes. */
export interface FanOutRecordSourceOptions extends KinesisRecordSourceOptions, StreamConsumerAddress {}

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
  streamOfRequest(options.stream)
  checkStreamConsumer(options.stream, { consumerArn, consumerName })
}

/** Checks how a consumer of the stream is named. @throws Error that names `consumerArn` or `consumerName` when they cannot be those of one. */
export function checkStreamConsumer(stream: StreamAddress, { consumerArn, consumerName }: StreamConsumerAddress): void {
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
  const wanted = 'name' in stream ? stream.name : stream.arn
  if (wanted !== ('name' in stream ? streamName : streamArn)) {
    throw new Error(`consumerArn: expected a consumer of ${wanted}, got ${JSON.stringify(consumerArn)}`)
  }
}

import {
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  RegisterStreamConsumerCommand,
} from '@aws-sdk/client-kinesis'
import type { HandlerContext } from '@shardwise/effects'
import { answerOf, type CallSignal, startCall } from '../call.ts'
import { failureOf } from '../failure.ts'
import { invalidAnswer, namedError } from '../invalidAnswer.ts'
import type { StreamOfRequest } from '../streamAddress.ts'
import { Attempt, waitFor } from './attempt.ts'

/** What is known of a consumer. */
interface Described {
  readonly arn: string
  readonly status: string
}

/** One search, and how many openings wait for it. */
interface Search {
  readonly attempt: Attempt
  readonly found: Promise<string>
  waiting: number
}

/** The name of the rejection for a consumer that cannot be read with yet, or any more. */
export const consumerNotActive = 'ConsumerNotActive'

/** The registered consumer that shards are read as: looked for when it is first needed, once for all shards, and registered where it is missing. */
export class StreamConsumer {
  readonly #client: Pick<KinesisClient, 'send'>
  readonly #stream: StreamOfRequest
  readonly #name: string | undefined
  readonly #timeoutMs: number
  #arn: string | null
  #streamArn: string | null
  #search: Search | null = null

  constructor(
    client: Pick<KinesisClient, 'send'>,
    stream: StreamOfRequest,
    consumer: { readonly consumerArn?: string | undefined; readonly consumerName?: string | undefined },
    timeoutMs: number,
  ) {
    this.#client = client
    this.#stream = stream
    this.#name = consumer.consumerName
    this.#timeoutMs = timeoutMs
    this.#arn = consumer.consumerArn ?? null
    this.#streamArn = 'StreamARN' in stream ? stream.StreamARN : null
  }

  /**
   * The ARN of the consumer. Each step of the search is made once: nothing is repeated, and nobody waits for a consumer to become active.
   * Rejects with `ConsumerNotActive`, with what a step rejected with, or with AbortError.
   */
  async arn(context: HandlerContext): Promise<string> {
    if (this.#arn !== null) return this.#arn
    this.#search ??= this.#startSearch()
    const search = this.#search
    search.waiting += 1
    try {
      return await waitFor('DescribeStreamConsumer', search.found, context)
    } finally {
      search.waiting -= 1
      if (search.waiting === 0) {
        if (this.#search === search) this.#search = null
        search.attempt.abort()
      }
    }
  }

  /** Looks for a consumer known by its name again: one that is registered anew has another ARN. */
  forget(): void {
    if (this.#name !== undefined) this.#arn = null
  }

  #startSearch(): Search {
    const attempt = new Attempt()
    const found = this.#find(attempt).finally(() => attempt.settle())
    return { attempt, found, waiting: 0 }
  }

  async #find(attempt: Attempt): Promise<string> {
    const streamArn = await this.#findStream(attempt)
    const consumer = { StreamARN: streamArn, ConsumerName: this.#name }
    const description = (await this.#describe(consumer, attempt)) ?? (await this.#register(consumer, attempt))
    const { arn, status } = description
    if (status !== 'ACTIVE') throw namedError(consumerNotActive, `the consumer ${this.#name} of ${streamArn} is ${status}`)
    this.#arn = arn
    return arn
  }

  async #findStream(attempt: Attempt): Promise<string> {
    if (this.#streamArn !== null) return this.#streamArn
    const { StreamDescriptionSummary: summary } = await this.#call('DescribeStreamSummary', attempt, (abortSignal) =>
      this.#client.send(new DescribeStreamSummaryCommand({ ...this.#stream }), { abortSignal }),
    )
    if (typeof summary?.StreamARN !== 'string') throw invalidAnswer('DescribeStreamSummary', 'the answer has no ARN')
    this.#streamArn = summary.StreamARN
    return summary.StreamARN
  }

  /** undefined when there is no such consumer. */
  async #describe(consumer: ConsumerOfStream, attempt: Attempt): Promise<Described | undefined> {
    try {
      const { ConsumerDescription: description } = await this.#call('DescribeStreamConsumer', attempt, (abortSignal) =>
        this.#client.send(new DescribeStreamConsumerCommand(consumer), { abortSignal }),
      )
      return expectDescribed('DescribeStreamConsumer', description)
    } catch (error) {
      if (failureOf(error) === 'notFound') return undefined
      throw error
    }
  }

  /** Rejects with ResourceInUseException when another worker has just registered it. */
  async #register(consumer: ConsumerOfStream, attempt: Attempt): Promise<Described> {
    const { Consumer: registered } = await this.#call('RegisterStreamConsumer', attempt, (abortSignal) =>
      this.#client.send(new RegisterStreamConsumerCommand(consumer), { abortSignal }),
    )
    return expectDescribed('RegisterStreamConsumer', registered)
  }

  #call<Output>(name: string, attempt: Attempt, send: (abortSignal: CallSignal) => Promise<Output>): Promise<Output> {
    return answerOf(startCall(name, this.#timeoutMs, send), attempt)
  }
}

interface ConsumerOfStream {
  readonly StreamARN: string
  readonly ConsumerName: string | undefined
}

function expectDescribed(
  call: string,
  description: { readonly ConsumerARN: string | undefined; readonly ConsumerStatus: string | undefined } | undefined,
): Described {
  if (typeof description?.ConsumerARN !== 'string' || typeof description.ConsumerStatus !== 'string') {
    throw invalidAnswer(call, 'the answer has no consumer, or one without ARN or status')
  }
  return { arn: description.ConsumerARN, status: description.ConsumerStatus }
}

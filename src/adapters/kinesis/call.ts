import type { HandlerContext } from '@shardwise/effects'
import { invalidAnswer, namedError } from './invalidAnswer.ts'

/** One call to Kinesis on its way, or answered and not yet looked at. */
export interface Call<Output> {
  /** Rejects with what the client rejected with, with `TimeoutError`, with `AbortError`, or with `InvalidAnswer` when the answer cannot be decoded. */
  readonly answer: Promise<Output>
  /** Gives the call up: `answer` rejects at once, whatever the transport does. Nothing happens when it is already answered. */
  abort(): void
}

/** An abort signal in the SDK's small form, which it also takes; one of the platform costs more than the rest of this file. */
export interface CallSignal {
  readonly aborted: boolean
  /** Set by the SDK. */
  onabort: (() => void) | null
}

/** Sends one call, `name` being what errors call it. It is given up after `timeoutMs`. */
export function startCall<Output>(name: string, timeoutMs: number, send: (abortSignal: CallSignal) => Promise<Output>): Call<Output> {
  const signal = { aborted: false, onabort: null as (() => void) | null }
  let giveUp = (_error: Error): void => undefined
  const answer = new Promise<Output>((resolve, reject) => {
    giveUp = (error) => {
      if (signal.aborted) return
      signal.aborted = true
      reject(error)
      signal.onabort?.()
    }
    send(signal).then(resolve, (error: unknown) => reject(isUndecodable(error) ? undecodable(name, error) : error))
  })
  const timer = setTimeout(() => giveUp(namedError('TimeoutError', `${name}: no answer within ${timeoutMs} ms`)), timeoutMs)
  const settled = (): void => clearTimeout(timer)
  // A read made ahead may fail before anyone waits for it: both outcomes are handled here, and met again by whoever waits.
  answer.then(settled, settled)
  return { answer, abort: () => giveUp(namedError('AbortError', `${name}: aborted`)) }
}

/** Waits for a call, and gives it up when the effect is aborted. @throws AbortError when it was aborted before the answer is handed over. */
export async function answerOf<Output>(call: Call<Output>, context: HandlerContext): Promise<Output> {
  let aborted = false
  context.onAbort(() => {
    aborted = true
    call.abort()
  })
  const output = await call.answer
  if (aborted) throw namedError('AbortError', 'the answer came too late: the effect was cancelled')
  return output
}

// The client's decoders throw the errors of the language: SyntaxError for JSON, TypeError for base64, timestamps and shapes.
function isUndecodable(error: unknown): error is SyntaxError | TypeError {
  return error instanceof SyntaxError || error instanceof TypeError
}

function undecodable(name: string, error: Error): Error {
  // The engine's message quotes the text around the place, which may be a record's.
  if (error instanceof SyntaxError) return invalidAnswer(name, 'the answer is not valid JSON', error)
  const [problem = ''] = error.message.split('\n')
  return invalidAnswer(name, `the answer does not decode: ${problem}`, error)
}

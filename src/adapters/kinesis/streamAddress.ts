/** Which stream: its name, in the account and region of the client, or its ARN. */
export type StreamAddress = { readonly name: string } | { readonly arn: string }

/** The stream as a request names it. */
export type StreamOfRequest = { readonly StreamName: string } | { readonly StreamARN: string }

const namePattern = /^[a-zA-Z0-9_.-]{1,128}$/
const arnPattern = /^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream\/[a-zA-Z0-9_.-]{1,128}$/

/** @throws Error when the address is neither `{ name }` nor `{ arn }`, or the one it has cannot be that of a stream. */
export function streamOfRequest(stream: StreamAddress): StreamOfRequest {
  const [field, ...others] = typeof stream === 'object' && stream !== null ? Object.keys(stream) : []
  if (others.length > 0 || (field !== 'name' && field !== 'arn')) {
    throw new Error(`stream: expected { name } or { arn }, got ${JSON.stringify(stream)}`)
  }
  const text: unknown = 'name' in stream ? stream.name : stream.arn
  if (field === 'name') {
    if (typeof text !== 'string' || !namePattern.test(text)) {
      throw new Error(`stream.name: expected 1 to 128 letters, digits, "_", "." or "-", got ${JSON.stringify(text)}`)
    }
    return { StreamName: text }
  }
  if (typeof text !== 'string' || !arnPattern.test(text)) {
    throw new Error(`stream.arn: expected the ARN of a Kinesis stream, got ${JSON.stringify(text)}`)
  }
  return { StreamARN: text }
}

/** An error named `InvalidAnswer`: Kinesis answered something that cannot be understood, and nothing of it was used. */
export function invalidAnswer(call: string, problem: string, cause?: unknown): Error {
  return namedError('InvalidAnswer', `${call}: ${problem}`, cause)
}

/** An error with a name of its own: the name is what reaches the machine. */
export function namedError(name: string, message: string, cause?: unknown): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause })
  error.name = name
  return error
}

import type { ErrorFacts } from '@shardwise/effects'

/** An error with the name that the KCL gives it, by which callers tell a lost lease from a throttled write. */
export function kclError({ name, message }: ErrorFacts): Error {
  const error = new Error(message)
  error.name = name
  return error
}

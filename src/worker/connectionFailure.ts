/**
 * An error that names the endpoint where a connection could not be made; any other error as it is. Node's own error for a name with several addresses has no
 * message at all.
 */
export function namedConnectionFailure(error: unknown, endpoint: string): unknown {
  const attempts: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
  if (attempts.length === 0 || !attempts.every(isConnectionFailure)) return error
  const reasons = attempts.map(({ message }) => message).join(', ')
  const failure = new Error(`${endpoint} cannot be reached: ${reasons}`, { cause: error })
  return Object.assign(failure, { name: 'EndpointUnreachable', code: attempts[0]?.code })
}

interface SystemError extends Error {
  readonly code: string
}

function isConnectionFailure(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo')
}

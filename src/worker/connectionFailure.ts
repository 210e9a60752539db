/**
 * An error that names the endpoint where a connection could not be made; any other error as it is. Node's own error for a name with several addresses has no
 * message at all.
 */
export function namedConnectionFailure(error: unknown, endpoint: string): unknown {
  const failed = causeOf(error)
  const attempts: readonly unknown[] = failed instanceof AggregateError ? failed.errors : [failed]
  if (attempts.length === 0 || !attempts.every(isConnectionFailure)) return error
  const reasons = attempts.map(({ message }) => message).join(', ')
  const failure = new Error(`${endpoint} cannot be reached: ${reasons}`, { cause: error })
  return Object.assign(failure, { name: 'EndpointUnreachable', code: attempts[0]?.code })
}

/** Over HTTP/2 a call only says that its stream was cancelled; its cause says why. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error && error.code === 'ERR_HTTP2_STREAM_CANCEL' ? (error.cause ?? error) : error
}

interface SystemError extends Error {
  readonly code: string
}

function isConnectionFailure(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo')
}

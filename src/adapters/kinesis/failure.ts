const throttles: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'KMSThrottlingException',
  'ThrottlingException',
])

/** The errors of Kinesis that are expected outcomes; every other one rejects. */
export type Failure = 'throttled' | 'expiredIterator' | 'invalidArgument' | 'notFound' | 'inUse' | 'unexpected'

/** Sorts what a call rejected with by the error's name, which is the same for every version of the client. */
export function failureOf(error: unknown): Failure {
  const name = error instanceof Error ? error.name : ''
  if (throttles.has(name)) return 'throttled'
  if (name === 'ExpiredIteratorException') return 'expiredIterator'
  if (name === 'InvalidArgumentException') return 'invalidArgument'
  if (name === 'ResourceNotFoundException') return 'notFound'
  if (name === 'ResourceInUseException') return 'inUse'
  return 'unexpected'
}

/** The names under which DynamoDB says that it was asked too much. */
const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
])

/** Whether DynamoDB refused a call because it was asked too much. */
export function isThrottle(error: unknown): boolean {
  return error instanceof Error && throttles.has(error.name)
}

/** The answer, or `throttled` when a call behind it was. Other errors reject. */
export async function orThrottled<Answer>(answer: () => Promise<Answer>): Promise<Answer | { readonly type: 'throttled' }> {
  try {
    return await answer()
  } catch (error) {
    if (isThrottle(error)) return { type: 'throttled' }
    throw error
  }
}

import type { ErrorFacts } from '@shardwise/effects'

/** Name and message of whatever a callback threw; never throws itself. A value that is no error gets the name `Error` and is printed. */
export function thrownFacts(thrown: unknown): ErrorFacts {
  try {
    // By structure: an error of another realm is not an instance of this one's Error.
    const { name, message } = Object(thrown) as { readonly name?: unknown; readonly message?: unknown }
    if (typeof name === 'string' && typeof message === 'string') return { name, message }
    const isPlain = typeof thrown === 'object' && thrown !== null
    return { name: 'Error', message: String(isPlain ? JSON.stringify(thrown) : thrown) }
  } catch {
    return { name: 'Error', message: 'a value that cannot be printed' }
  }
}

import { startKinesisLocal } from '../servers/kinesisLocal.ts'
import type { LocalServer } from '../servers/localServer.ts'

const shared = globalThis as typeof globalThis & { kinesisLocal?: Promise<LocalServer> }

/**
 * One kinesis-local for all test files of this process: starting it takes longer than most of what is asked of it. Streams need names of their own. It ends
 * with this process, not when it is stopped.
 */
export async function sharedKinesisLocal(): Promise<LocalServer> {
  shared.kinesisLocal ??= startKinesisLocal()
  const { endpoint } = await shared.kinesisLocal
  return { endpoint, stop: async () => undefined }
}

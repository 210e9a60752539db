import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalServer } from './localServer.ts'

// The ports that the program is told; `loopback.cjs` binds free ones in their place and reports them.
const plainPort = 4568
const tlsPort = 4567
const startTimeoutMs = 30_000

const packageFolder = dirname(createRequire(import.meta.url).resolve('kinesis-local/package.json'))
const loopback = fileURLToPath(new URL('./loopback.cjs', import.meta.url))

const environment = {
  KINESIS_MOCK_PLAIN_PORT: String(plainPort),
  KINESIS_MOCK_TLS_PORT: String(tlsPort),
  KINESIS_MOCK_CERT_PATH: join(packageFolder, 'server.json'),
  LOG_LEVEL: 'ERROR',
  SHARD_LIMIT: '1000',
  CREATE_STREAM_DURATION: '10ms',
  DELETE_STREAM_DURATION: '10ms',
  SPLIT_SHARD_DURATION: '10ms',
  MERGE_SHARDS_DURATION: '10ms',
  UPDATE_SHARD_COUNT_DURATION: '10ms',
  UPDATE_STREAM_MODE_DURATION: '10ms',
  REGISTER_STREAM_CONSUMER_DURATION: '10ms',
  DEREGISTER_STREAM_CONSUMER_DURATION: '10ms',
}

/**
 * Starts kinesis-local as a child process on free ports of the loopback interface. It ends when it is stopped, and when this process ends in whatever way.
 * Its PutRecords slows down with the square of what a shard holds: keep to some 2,000 records a shard.
 */
export async function startKinesisLocal(): Promise<LocalServer> {
  const child = spawn(process.execPath, ['-r', loopback, join(packageFolder, 'main.js')], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = (): Promise<void> => {
    // SIGTERM would wait for every keep-alive connection.
    child.kill('SIGKILL')
    return ended
  }
  try {
    const endpoint = `http://127.0.0.1:${await plainPortOf(child)}`
    await fetch(endpoint)
    return { endpoint, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function plainPortOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let complaint = ''
    const timer = setTimeout(
      () => reject(new Error(`kinesis-local: does not listen after ${startTimeoutMs} ms ${complaint}`)),
      startTimeoutMs,
    )
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2_000)
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`kinesis-local: ended with code ${code} ${complaint}`))
    })
    child.on('message', ({ requested, port }: { requested: number; port: number }) => {
      if (requested !== plainPort) return
      clearTimeout(timer)
      resolve(port)
    })
  })
}

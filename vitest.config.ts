import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}/index.ts`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: {
      '@shardwise/effects': source('effects'),
      '@shardwise/machine': source('machine'),
      '@shardwise/kinesis': source('adapters/kinesis'),
      '@shardwise/dynamodb': source('adapters/dynamodb'),
      '@shardwise/memory': source('adapters/memory'),
      '@shardwise/processor': source('adapters/processor'),
      '@shardwise/testing': source('testing'),
      shardwise: source('worker'),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
  },
})

/** A worker whose record processors are programs for the MultiLangDaemon, one process for each shard. */
import { childProcessors, splitCommand } from '@shardwise/multilang'
import { Worker } from 'shardwise'

export const worker = new Worker({
  streamName: 'orders',
  applicationName: 'billing',
  processor: childProcessors({ command: splitCommand('python3 processor.py'), logger: console }),
})

import { Worker } from 'shardwise'
import type { HandoverWorker } from './handover.ts'

/** One worker of the hand-over, in a process of its own: it says when it handles records, when it runs, and each time that it reads the whole lease table. */
const { shards: _, ...options } = JSON.parse(process.argv[2] ?? '') as HandoverWorker
const tell = (line: string): void => void process.stdout.write(`${line}\n`)

const worker = new Worker({
  ...options,
  region: 'us-east-1',
  applicationName: 'handover',
  // What is measured is what becomes of the leases of the other worker, not how the two share them.
  maxLeasesToStealAtOneTime: 0,
  idleTimeInMilliseconds: 200,
  processor: (shardId) => ({
    initialize: () => undefined,
    async processRecords({ records, checkpointer }) {
      if (records.length > 0) tell(`handled ${shardId} ${Date.now()}`)
      await checkpointer.checkpoint()
    },
    leaseLost: () => undefined,
    shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
    shutdownRequested: ({ checkpointer }) => checkpointer.checkpoint(),
  }),
  observe({ machine, step }) {
    if (machine !== 'coordinator') return
    if (step.effects.some(({ type }) => type === 'listLeases')) tell('read')
    if (step.after.phase === 'running' && step.before?.phase !== 'running') tell('running')
  },
})
process.on('SIGTERM', () => void worker.stop())
await worker.run()

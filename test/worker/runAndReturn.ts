/** Consumes a stream in memory with the default intervals, stops in the way that the argument says, and tells what is still alive when `run` has returned. */

import { Worker } from 'shardwise'
import { aDiary, aWatch, aWorld, deliveredCount, put, texts } from './workerSetting.ts'

const [how = 'in order'] = process.argv.slice(2)
const [world, diary, watch] = [aWorld(3), aDiary(), aWatch()]
put(world.stream, texts('order', 30))
const worker = new Worker({
  applicationName: 'orders',
  adapters: world.adapters(),
  observe: watch.observe,
  processor(shardId) {
    if (how === 'by a failure' && shardId.endsWith('2')) throw new Error('no processor for this shard')
    return diary.processor(shardId)
  },
})
const all = how === 'by a failure' ? Promise.resolve() : watch.until('all records', deliveredCount(diary, 30))
const running = worker.run().catch((error: Error) => error.message)
await all
if (how !== 'by a failure') void worker.stop({ force: how === 'by force' })
await running
const alive = process.getActiveResourcesInfo().filter((resource) => ['Timeout', 'Immediate', 'TCPSocketWrap'].includes(resource))
process.stdout.write(`alive: ${alive.join() || 'nothing'}\n`)

import type { Capability } from '@shardwise/testing'
import type { BrokenDriver } from './brokenRuntimes.ts'

const burst = 'takes a hundred events that come while a step is being taken: all of them, in their order'
const twoShutdowns = 'takes a request to shut down and the loss of the lease as two events, also when they come in one turn'
const dropThrows = 'rejects done when a shard consumer drops a batch and the handler throws, and starts nothing more'

/** Drivers that are wrong in what they do with events that wait, or come again. A case notices each of them also when it says that it can do `can` alone. */
export const brokenQueues: readonly (BrokenDriver & { readonly can: readonly Capability[] })[] = [
  {
    fault: 'drops what comes when eight events wait',
    can: [],
    noticedBy: burst,
    breakIt: (whole, parts) => ({ feed: (event) => void (parts.queue.length >= 8 || whole.feed(event)) }),
  },
  {
    fault: 'feeds three or more events that came during a step last first',
    can: [],
    noticedBy: burst,
    breakIt: (whole, parts) => ({
      take(event) {
        const { length } = parts.queue
        whole.take(event)
        if (parts.queue.length - length >= 3) parts.queue.reverse()
      },
    }),
  },
  {
    fault: 'takes the second of two shutdowns that wait for both',
    can: [],
    noticedBy: twoShutdowns,
    breakIt: (whole, parts) => ({
      feed(event) {
        if (event.type === 'shutdown' && parts.queue.at(-1)?.type === 'shutdown') parts.queue.pop()
        whole.feed(event)
      },
    }),
  },
  {
    fault: 'takes the second of two shutdowns of one turn for both',
    can: [],
    noticedBy: twoShutdowns,
    breakIt: (whole) => {
      const shutdowns: Parameters<typeof whole.send>[0][] = []
      return {
        send(event) {
          if (event.type !== 'shutdown') whole.send(event)
          else if (shutdowns.push(event) === 1) queueMicrotask(() => shutdowns.splice(0).slice(-1).forEach(whole.send))
        },
      }
    },
  },
  {
    fault: 'drops the AbortError of a cancelled effect',
    can: [],
    noticedBy: 'feeds the failure of a callback that was cancelled, which the consumer awaits',
    breakIt: (whole) => {
      const cancelled = new Set<number>()
      return {
        cancel(id) {
          cancelled.add(id)
          whole.cancel(id)
        },
        failed: (id, error) =>
          void ((cancelled.has(id) && error instanceof Error && error.name === 'AbortError') || whole.failed(id, error)),
      }
    },
  },
  {
    fault: 'swallows what a handler without an answer throws',
    can: ['ends'],
    noticedBy: dropThrows,
    breakIt: (whole) => ({
      call(effect, context) {
        try {
          return whole.call(effect, context)
        } catch (error) {
          if ('id' in effect) throw error
          return undefined
        }
      },
    }),
  },
  {
    fault: 'does not show a shutdown that comes again',
    can: ['observes'],
    noticedBy: 'shows the observer a request to shut down that comes again',
    breakIt: (whole) => {
      const seen = new Set<string>()
      return {
        observe(event, before, effects) {
          if (event?.type === 'shutdown' && seen.has(event.reason)) return
          if (event?.type === 'shutdown') seen.add(event.reason)
          whole.observe(event, before, effects)
        },
      }
    },
  },
  {
    fault: 'forgets the effects of a shutdown that comes again, and the observer',
    can: ['anyMachine'],
    noticedBy: 'feeds a shutdown that comes again like any event, and starts what is then asked for',
    breakIt: (whole, parts) => {
      const seen = new Set<string>()
      return {
        take(event) {
          const again = event.type === 'shutdown' && seen.has(event.reason)
          if (event.type === 'shutdown') seen.add(event.reason)
          if (again) parts.snapshot = parts.setup.machine.step(parts.snapshot, event)[0]
          else whole.take(event)
        },
      }
    },
  },
]

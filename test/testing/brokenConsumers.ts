import { showsAfterwards } from './breaksOfAnyMachine.ts'
import type { BrokenDriver } from './brokenRuntimes.ts'

/** What a driver that forgets to close over one machine shares among all of them. */
const sharedByAll = new Map<number, { readonly answered: (id: number, body: object) => void }>()

/** Drivers that are wrong in what they show, restore, or do with a shard consumer. */
export const brokenConsumers: readonly BrokenDriver[] = [
  {
    fault: 'takes a step inside a step for an event that the observer sends',
    noticedBy: 'feeds what the observer sends only after the step that it was shown',
    breakIt: (_, parts) => ({ send: (event) => parts.take(event) }),
  },
  {
    fault: 'does not show the start',
    noticedBy: 'shows the observer every step, from the start on, with its snapshots and effects',
    breakIt: (whole) => ({ observe: (event, before, effects) => void (event === null || whole.observe(event, before, effects)) }),
  },
  {
    fault: 'shows the new snapshot as the old one',
    noticedBy: 'shows the observer every step, from the start on, with its snapshots and effects',
    breakIt: (whole, parts) => ({
      observe: (event, before, effects) => whole.observe(event, before === null ? null : parts.snapshot, effects),
    }),
  },
  {
    fault: 'shows a step when its effects have started',
    noticedBy: 'shows the observer a step before its effects start',
    breakIt: showsAfterwards,
  },
  {
    fault: 'does not show a step that changes nothing',
    noticedBy: 'shows the observer also a step that changes nothing',
    breakIt: (whole, parts) => ({
      observe: (event, before, effects) => void (before === parts.snapshot || whole.observe(event, before, effects)),
    }),
  },
  {
    fault: 'feeds events before it has started what a restored snapshot awaits',
    noticedBy: 'starts what a restored snapshot awaits before it feeds anything',
    breakIt: (whole, parts) => {
      let begun = false
      return {
        startAll(effects) {
          if (begun) whole.startAll(effects)
          else queueMicrotask(() => whole.startAll(parts.setup.start[1]))
          begun = true
        },
      }
    },
  },
  {
    fault: 'begins from nothing when a snapshot was given',
    noticedBy: 'goes on from a restored snapshot',
    breakIt: (whole, parts) => {
      let begun = false
      return {
        take(event) {
          if (!begun) parts.snapshot = { heard: [] }
          begun = true
          whole.take(event)
        },
      }
    },
  },
  {
    fault: 'leaves a late request to shut down without an answer',
    noticedBy: 'takes a request to shut down after the end, and starts its answer',
    breakIt: (whole, parts) => ({ send: (event) => void (parts.ended || whole.send(event)) }),
  },
  {
    fault: 'starts nothing any more after the end',
    noticedBy: 'takes a request for a checkpoint after the end, and starts its refusal',
    breakIt: (whole, parts) => ({ startAll: (effects) => void (parts.ended || whole.startAll(effects)) }),
  },
  {
    fault: 'shows steps without the effects that settle a request',
    noticedBy: 'shows the observer the steps of a shard consumer as the machine takes them',
    breakIt: (whole) => ({
      observe: (event, before, effects) =>
        whole.observe(
          event,
          before,
          effects.filter(({ type }) => type !== 'settleCheckpoint'),
        ),
    }),
  },
  {
    fault: 'does not start what a restored snapshot awaits',
    noticedBy: 'takes a shard consumer up from the JSON of any of its snapshots, and leads it to the end',
    breakIt: (whole, parts) => ({ startAll: (effects) => void (effects === parts.setup.start[1] || whole.startAll(effects)) }),
  },
  {
    fault: 'tells the processor nothing of requests that it has not seen itself',
    noticedBy: 'settles the checkpoint that an earlier process asked for, and goes on',
    breakIt: (whole) => {
      const asked = new Set<string>()
      return {
        send(event) {
          if (event.type === 'checkpointRequested') asked.add(event.request)
          whole.send(event)
        },
        call: (effect, context) =>
          effect.type === 'settleCheckpoint' && !asked.has(effect.request) ? undefined : whole.call(effect, context),
      }
    },
  },
  {
    fault: 'keeps its effects in one place for all machines',
    noticedBy: 'runs two consumers side by side, whose effects have the same ids, without mixing them up',
    breakIt: (whole) => ({
      begin(effect) {
        if ('id' in effect && effect.type !== 'cancel') sharedByAll.set(effect.id, whole)
        whole.begin(effect)
      },
      answered: (id, body) => sharedByAll.get(id)?.answered(id, body),
    }),
  },
  {
    fault: 'aborts everything at a request to stop',
    noticedBy: 'treats a stop as an event: what the processor is doing goes on, and its answer is awaited',
    breakIt: (whole, parts) => ({
      send(event) {
        if (event.type === 'shutdown') for (const { abort } of parts.out.values()) abort()
        whole.send(event)
      },
    }),
  },
  {
    fault: 'takes a dead letter that was not taken for one that was',
    noticedBy: 'leads a batch that fails through its parts and the dead letter, as the error policy says',
    breakIt: (whole) => ({
      answered: (id, body) =>
        whole.answered(id, 'type' in body && body.type === 'deadLetterFailed' ? { type: 'deadLetterDelivered' } : body),
    }),
  },
  {
    fault: 'hides a failed read and reads again',
    noticedBy: 'lets the machine decide what follows a handler that rejects',
    breakIt: (whole, parts) => {
      const begun = new Map<number, () => void>()
      return {
        begin(effect) {
          if ('id' in effect && effect.type === 'readRecords') begun.set(effect.id, () => parts.begin(effect))
          whole.begin(effect)
        },
        failed(id, error) {
          const again = begun.get(id)
          if (again === undefined) whole.failed(id, error)
          else again()
        },
      }
    },
  },
  {
    fault: 'runs one effect of a consumer at a time',
    noticedBy: 'has a callback and a checkpoint write out at once, and takes their answers in either order',
    breakIt: (whole, parts) => {
      const later: (() => void)[] = []
      return {
        begin: (effect) =>
          void (parts.out.size > 0 && effect.type !== 'cancel' ? later.push(() => whole.begin(effect)) : whole.begin(effect)),
        answered(id, body) {
          whole.answered(id, body)
          later.shift()?.()
        },
      }
    },
  },
  {
    fault: 'answers a cancelled callback by itself',
    noticedBy: 'aborts the callback when the lease is lost, and awaits its answer before the consumer goes on',
    breakIt: (whole, parts) => ({
      cancel(id) {
        whole.cancel(id)
        parts.answered(id, { type: 'recordsProcessed' })
      },
    }),
  },
  {
    fault: 'closes the shard twice',
    noticedBy: 'leads a shard consumer to the end of its shard with exactly the effects that its steps give',
    breakIt: (whole) => ({
      startAll(effects) {
        whole.startAll(effects)
        whole.startAll(effects.filter(({ type }) => type === 'closeShard'))
      },
    }),
  },
  {
    fault: 'feeds the answer of a record processor before what this one asked for meanwhile',
    noticedBy: 'leads it there as well when every handler answers at once, and the processor asks for checkpoints in its callbacks',
    breakIt: (whole, parts) => ({ send: (event) => (parts.draining ? queueMicrotask(() => whole.send(event)) : whole.send(event)) }),
  },
  {
    fault: 'takes the late answer of a cancelled effect for that of the one in its place',
    noticedBy: 'feeds the late answer of a read that was cancelled, which changes nothing',
    breakIt: (whole) => {
      const cancelled = new Set<number>()
      return {
        cancel(id) {
          cancelled.add(id)
          whole.cancel(id)
        },
        answered: (id, body) =>
          whole.answered(cancelled.has(id) ? id + 1 : id, cancelled.has(id) ? { type: 'shutdownRequestedNotified' } : body),
      }
    },
  },
]

import type { ShardEvent } from '@shardwise/machine'
import type { BrokenDriver } from './brokenRuntimes.ts'

/** Drivers that are wrong in what order they start effects and feed events. */
export const brokenOrder: readonly BrokenDriver[] = [
  {
    fault: 'starts the first effects last first',
    noticedBy: 'starts the first effects in the order given',
    breakIt: (whole, parts) => ({
      startAll: (effects) => whole.startAll(parts.snapshot === parts.setup.start[0] ? effects.toReversed() : effects),
    }),
  },
  {
    fault: 'starts those effects first that have no answer',
    noticedBy: 'starts the effects of a step in the order given',
    breakIt: (whole) => ({ startAll: (effects) => whole.startAll(effects.toSorted((a, b) => Number('id' in a) - Number('id' in b))) }),
  },
  {
    fault: 'starts one effect of a step after the answer of the other',
    noticedBy: 'starts every effect of a step without waiting for the answers of those before it',
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
    fault: 'takes a step for an answer that came at once, inside the step that asked',
    noticedBy: 'starts every effect of a step before it feeds an answer, also one that came at once',
    breakIt: (_, parts) => ({
      answered(id, body) {
        parts.out.delete(id)
        parts.take({ ...body, id } as unknown as ShardEvent)
      },
    }),
  },
  {
    fault: 'takes a step inside a step for an event that a handler sends',
    noticedBy: 'starts every effect of a step before it feeds an event that a handler sent',
    breakIt: (_, parts) => ({ send: (event) => parts.take(event) }),
  },
  {
    fault: 'keeps the events of handlers back until the answers are fed',
    noticedBy: 'feeds an event that a handler sent before the answer of that handler',
    breakIt: (whole, parts) => ({ send: (event) => (parts.draining ? queueMicrotask(() => whole.send(event)) : whole.send(event)) }),
  },
  {
    fault: 'feeds answers in the order of their effects',
    noticedBy: 'feeds answers in the order in which they arrive',
    breakIt: (whole, parts) => {
      const kept = new Map<number, object>()
      return {
        answered(id, body) {
          kept.set(id, body)
          for (const next of parts.out.keys()) {
            const ready = kept.get(next)
            if (ready === undefined) return
            whole.answered(next, ready)
          }
        },
      }
    },
  },
  {
    fault: 'feeds the last event that was sent first',
    noticedBy: 'feeds events from outside in the order in which they were sent',
    breakIt: (whole, parts) => {
      const sent: ShardEvent[] = []
      return {
        send(event) {
          sent.push(event)
          if (sent.length === 1)
            queueMicrotask(() =>
              sent
                .splice(0)
                .toReversed()
                .forEach((each) => whole.send(each)),
            )
          else parts.draining = false
        },
      }
    },
  },
  {
    fault: 'prefers answers to events from outside',
    noticedBy: 'prefers neither answers nor events from outside: what came first is fed first',
    breakIt: (_, parts) => ({
      feed(event) {
        const at = 'id' in event ? parts.queue.findIndex((queued) => !('id' in queued)) : -1
        parts.queue.splice(at === -1 ? parts.queue.length : at, 0, event)
        if (!parts.draining) parts.drain()
      },
    }),
  },
  {
    fault: 'lets events from outside wait while an effect is out',
    noticedBy: 'feeds an event while effects are out, without waiting for their answers',
    breakIt: (whole, parts) => {
      const sent: ShardEvent[] = []
      return {
        send: (event) => void (parts.out.size > 0 ? sent.push(event) : whole.send(event)),
        answered(id, body) {
          whole.answered(id, body)
          if (parts.out.size === 0) for (const event of sent.splice(0)) whole.send(event)
        },
      }
    },
  },
  {
    fault: 'steps from the snapshot that it had when the event arrived',
    noticedBy: 'takes each step from the snapshot that the one before it left',
    breakIt: (whole, parts) => ({
      send(event) {
        const { snapshot } = parts
        queueMicrotask(() => {
          parts.snapshot = snapshot
          whole.send(event)
        })
      },
    }),
  },
  {
    fault: 'starts nothing when the snapshot has not changed',
    noticedBy: 'starts the effects of a step that leaves the snapshot as it was',
    breakIt: (whole, parts) => {
      let last: unknown
      return {
        startAll(effects) {
          if (parts.snapshot !== last) whole.startAll(effects)
          last = parts.snapshot
        },
      }
    },
  },
  {
    fault: 'writes the id into the answer of the handler',
    noticedBy: 'changes nothing in what the machine gives and takes',
    breakIt: (_, parts) => ({ answered: (id, body) => parts.feed(Object.assign(body, { id }) as unknown as ShardEvent) }),
  },
  {
    fault: 'notes in the effect that it was started',
    noticedBy: 'changes nothing in what the machine gives and takes',
    breakIt: (whole) => ({ begin: (effect) => whole.begin(Object.assign(effect, { started: true })) }),
  },
  {
    fault: 'keeps notes in the snapshot',
    noticedBy: 'changes nothing in what the machine gives and takes',
    breakIt: (whole, parts) => ({
      begin(effect) {
        Object.assign(parts.snapshot as object, { started: effect.type })
        whole.begin(effect)
      },
    }),
  },
  {
    fault: 'grows the stack with every answer',
    noticedBy: 'takes 20,000 answers that come at once, one after another, without growing the stack',
    breakIt: (_, parts) => ({ feed: (event) => parts.take(event) }),
  },
]

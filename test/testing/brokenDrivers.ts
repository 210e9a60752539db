import type { ShardEvent } from '@shardwise/machine'
import type { Break } from './brokenRuntimes.ts'

/** What a driver that forgets to close over one machine shares among all of them. */
const sharedByAll = new Map<number, { readonly answered: (id: number, body: object) => void }>()

/** Drivers that break one law each, and the case that must notice. */
export const brokenDrivers: readonly { readonly fault: string; readonly noticedBy: string; readonly breakIt: Break }[] = [
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
    fault: 'takes a step inside a step for an event that the observer sends',
    noticedBy: 'feeds what the observer sends only after the step that it was shown',
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
  {
    fault: 'loses what is in an answer',
    noticedBy: 'feeds an answer as the handler gave it, with the id of its effect',
    breakIt: (whole) => ({ answered: (id, body) => whole.answered(id, { type: 'type' in body ? body.type : null }) }),
  },
  {
    fault: 'feeds every answer twice',
    noticedBy: 'feeds an answer once',
    breakIt: (whole) => ({
      answered(id, body) {
        whole.answered(id, body)
        whole.answered(id, body)
      },
    }),
  },
  {
    fault: 'feeds a failure again with the next event, as one that retries does',
    noticedBy: 'feeds an answer once',
    breakIt: (whole) => {
      const failures: (() => void)[] = []
      return {
        failed(id, error) {
          whole.failed(id, error)
          failures.push(() => whole.failed(id, error))
        },
        send(event) {
          whole.send(event)
          failures.shift()?.()
        },
      }
    },
  },
  {
    fault: 'understands promised answers only',
    noticedBy: 'feeds an answer that came at once as well as one that was promised',
    breakIt: (whole) => ({
      hear(effect, given) {
        if (typeof given === 'object' && given !== null && 'then' in given) whole.hear(effect, given)
      },
    }),
  },
  {
    fault: 'understands answers only that come at once',
    noticedBy: 'feeds an answer that came at once as well as one that was promised',
    breakIt: (whole) => ({
      hear(effect, given) {
        if (typeof given === 'object' && given !== null && !('then' in given)) whole.hear(effect, given)
      },
    }),
  },
  {
    fault: 'lets a handler choose the id of its answer',
    noticedBy: 'names an answer by its effect, whatever id the handler put into it',
    breakIt: (_, parts) => ({
      answered(id, body) {
        parts.out.delete(id)
        parts.feed({ id, ...body } as unknown as ShardEvent)
      },
    }),
  },
  {
    fault: 'trusts every promise to settle once',
    noticedBy: 'hears a promise of another make once, however often it settles',
    breakIt: (whole, parts) => ({
      hear(effect, given) {
        const promised = given as { then?(ok: (body: object) => void, no: (error: unknown) => void): void }
        if (promised.then === undefined) whole.hear(effect, given)
        else
          promised.then(
            (body) => whole.hear(effect, body),
            (error) => parts.failed(effect.id, error),
          )
      },
    }),
  },
  {
    fault: 'feeds what a handler without an answer returns',
    noticedBy: 'feeds nothing for an effect without an answer, whatever its handler returns',
    breakIt: (whole, parts) => ({
      call(effect, context) {
        const given = whole.call(effect, context)
        if (!('id' in effect) && given !== undefined) parts.feed(given as ShardEvent)
        return given
      },
    }),
  },
  {
    fault: 'drops the answer of a cancelled effect',
    noticedBy: 'feeds the answer of an effect that was cancelled',
    breakIt: (whole) => {
      const cancelled = new Set<number>()
      return {
        cancel(id) {
          cancelled.add(id)
          whole.cancel(id)
        },
        answered: (id, body) => void (cancelled.has(id) || whole.answered(id, body)),
      }
    },
  },
  {
    fault: 'takes an AbortError for no failure',
    noticedBy: 'feeds the failure of an effect that was cancelled',
    breakIt: (whole) => ({
      failed: (id, error) => void ((error instanceof Error && error.name === 'AbortError') || whole.failed(id, error)),
    }),
  },
  {
    fault: 'fails when the machine cancels what is not out',
    noticedBy: 'takes the cancelling of an effect that is not out for nothing',
    breakIt: (whole, parts) => ({
      cancel(id) {
        if (!parts.out.has(id)) throw new Error(`no effect ${id}`)
        whole.cancel(id)
      },
    }),
  },
  {
    fault: 'looks for a handler of cancel',
    noticedBy: 'takes the cancelling of an effect that is not out for nothing',
    breakIt: (whole) => ({
      begin(effect) {
        if (effect.type === 'cancel') throw new Error('no handler for cancel')
        whole.begin(effect)
      },
    }),
  },
  {
    fault: 'takes what a handler throws for a broken contract',
    noticedBy: 'turns a handler that throws into effectFailed with the name and the message',
    breakIt: (whole, parts) => ({
      call(effect, context) {
        try {
          return whole.call(effect, context)
        } catch (error) {
          parts.fail(error)
          return new Promise(() => undefined)
        }
      },
    }),
  },
  {
    fault: 'says of every failure that an Error happened',
    noticedBy: 'turns a handler that rejects into effectFailed with the name and the message',
    breakIt: (whole) => ({ failed: (id, error) => whole.failed(id, { name: 'Error', message: String(error) }) }),
  },
  {
    fault: 'swallows what a handler throws',
    noticedBy: 'turns a handler that throws into effectFailed with the name and the message',
    breakIt: () => ({ failed: () => undefined }),
  },
  {
    fault: 'knows the errors of its own realm only',
    noticedBy: 'knows an error of another realm by its name and message',
    breakIt: (whole) => ({ failed: (id, error) => whole.failed(id, error instanceof Error ? error : String(error)) }),
  },
  {
    fault: 'takes for granted that what is thrown is an error',
    noticedBy: 'turns into effectFailed what is no error at all',
    breakIt: (whole) => ({
      failed(id, error) {
        const { name, message } = error as Error
        whole.failed(id, { name, message })
      },
    }),
  },
  {
    fault: 'gives a step up when one of its handlers throws',
    noticedBy: 'starts the rest of a step when a handler throws',
    breakIt: (whole, parts) => {
      let failed = false
      return {
        startAll(effects) {
          failed = false
          for (const effect of effects) if (!failed) parts.begin(effect)
        },
        failed(id, error) {
          failed = true
          whole.failed(id, error)
        },
      }
    },
  },
  {
    fault: 'takes no event after the end',
    noticedBy: 'feeds what comes after the end, and starts what is then asked for',
    breakIt: (whole, parts) => ({ send: (event) => void (parts.ended || whole.send(event)) }),
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
    fault: 'ends before the effects of the last step',
    noticedBy: 'starts every effect of the last step',
    breakIt: (whole, parts) => ({
      startAll(effects) {
        parts.finish()
        if (!parts.ended) whole.startAll(effects)
      },
    }),
  },
  {
    fault: 'never says that the machine has ended',
    noticedBy: 'resolves done when the machine ends, and not before',
    breakIt: () => ({ resolve: () => undefined }),
  },
  {
    fault: 'says at the first step that the machine has ended',
    noticedBy: 'resolves done when the machine ends, and not before',
    breakIt: (whole, parts) => ({
      take(event) {
        whole.take(event)
        parts.resolve(parts.snapshot)
      },
    }),
  },
  {
    fault: 'looks for the end after a step only',
    noticedBy: 'resolves done at once for a snapshot that has ended',
    breakIt: (whole, parts) => ({ finish: () => void (parts.snapshot === parts.setup.start[0] || whole.finish()) }),
  },
  {
    fault: 'logs what the machine throws and goes on',
    noticedBy: 'rejects done when the machine throws, and feeds it nothing more',
    breakIt: () => ({ fail: () => undefined }),
  },
  {
    fault: 'rejects done, and goes on',
    noticedBy: 'rejects done when a handler without an answer throws, and feeds the machine nothing more',
    breakIt: (_, parts) => ({ fail: (error) => parts.reject(error) }),
  },
  {
    fault: 'feeds answers that are not in the table',
    noticedBy: 'rejects done when an answer is not in the table, and does not feed it',
    breakIt: (whole, parts) => ({
      hear: (effect, given) =>
        typeof given === 'object' && given !== null && 'then' in given
          ? whole.hear(effect, given)
          : parts.answered(effect.id, given as object),
    }),
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
    breakIt: (whole) => {
      let show = (): void => undefined
      return {
        observe: (...step) => void (show = () => whole.observe(...step)),
        startAll(effects) {
          whole.startAll(effects)
          show()
        },
      }
    },
  },
  {
    fault: 'does not show a step that changes nothing',
    noticedBy: 'shows the observer also a step that changes nothing',
    breakIt: (whole, parts) => ({
      observe: (event, before, effects) => void (before === parts.snapshot || whole.observe(event, before, effects)),
    }),
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
    fault: 'aborts every effect at a cancel',
    noticedBy: 'aborts exactly the effect that cancel names, and no earlier',
    breakIt: (_, parts) => ({
      cancel() {
        for (const { abort } of parts.out.values()) abort()
      },
    }),
  },
  {
    fault: 'never aborts',
    noticedBy: 'aborts exactly the effect that cancel names, and no earlier',
    breakIt: () => ({ cancel: () => undefined }),
  },
  {
    fault: 'calls back and fires no signal',
    noticedBy: 'fires the signal as well, also for a handler that looks at it only afterwards',
    breakIt: (whole) => ({
      makeOut(id) {
        const { context, abort } = whole.makeOut(id)
        return { context: { signal: new AbortController().signal, onAbort: context.onAbort }, abort }
      },
    }),
  },
  {
    fault: 'aborts at every cancel again',
    noticedBy: 'aborts once, however often the machine cancels',
    breakIt: (whole) => ({
      makeOut(id) {
        const { context } = whole.makeOut(id)
        const listeners: (() => void)[] = []
        const onAbort = (listener: () => void): void => void listeners.push(listener)
        return { context: { signal: context.signal, onAbort }, abort: () => listeners.forEach((listener) => listener()) }
      },
    }),
  },
  {
    fault: 'tells only those of an abort who listened before',
    noticedBy: 'calls back at once who listens to an effect that is aborted already',
    breakIt: (whole) => ({
      makeOut(id) {
        const { context, abort } = whole.makeOut(id)
        return { context: { signal: context.signal, onAbort: (listener) => context.signal.addEventListener('abort', listener) }, abort }
      },
    }),
  },
  {
    fault: 'aborts what was answered long ago',
    noticedBy: 'does not abort an effect whose answer was fed',
    breakIt: (whole) => {
      const all = new Map<number, () => void>()
      return {
        makeOut(id) {
          const out = whole.makeOut(id)
          all.set(id, out.abort)
          return out
        },
        cancel: (id) => all.get(id)?.(),
      }
    },
  },
  {
    fault: 'leaves effects out when the machine has ended',
    noticedBy: 'aborts what is still out when the machine ends',
    breakIt: (_, parts) => ({
      finish() {
        if (parts.ended || !parts.setup.machine.isDone(parts.snapshot)) return
        parts.ended = true
        parts.resolve(parts.snapshot)
      },
    }),
  },
  {
    fault: 'takes answers after it was closed',
    noticedBy: 'feeds neither answers nor events after close',
    breakIt: (whole, parts) => ({
      close() {
        whole.close()
        parts.closed = false
      },
    }),
  },
  {
    fault: 'ends the step in which it is closed',
    noticedBy: 'starts nothing more of a step whose handler closes it',
    breakIt: (_, parts) => ({ startAll: (effects) => effects.forEach((effect) => parts.begin(effect)) }),
  },
  {
    fault: 'fails when it is closed again',
    noticedBy: 'can be closed twice',
    breakIt: (whole, parts) => ({
      close() {
        if (parts.closed) throw new Error('closed already')
        whole.close()
      },
    }),
  },
  {
    fault: 'leaves effects out when it is closed',
    noticedBy: 'aborts everything that is out when it is closed',
    breakIt: (_, parts) => ({
      close() {
        parts.closed = true
      },
    }),
  },
  {
    fault: 'takes close for the end of the machine',
    noticedBy: 'leaves done pending when it is closed',
    breakIt: (whole, parts) => ({
      close() {
        whole.close()
        parts.resolve(parts.snapshot)
      },
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
    fault: 'does not start what a restored snapshot awaits',
    noticedBy: 'takes a shard consumer up from the JSON of any of its snapshots, and leads it to the end',
    breakIt: (whole, parts) => ({ startAll: (effects) => void (effects === parts.setup.start[1] || whole.startAll(effects)) }),
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

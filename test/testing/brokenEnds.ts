import { abortsAll, callsEarlyListenersAlone, forgivesItsObserver, leavesOutAtClose, takesCloseForTheEnd } from './breaksOfAnyMachine.ts'
import type { BrokenDriver } from './brokenRuntimes.ts'

/** Drivers that are wrong in how they abort, close and end. */
export const brokenEnds: readonly BrokenDriver[] = [
  {
    fault: 'takes no event after the end',
    noticedBy: 'feeds what comes after the end, and starts what is then asked for',
    breakIt: (whole, parts) => ({ send: (event) => void (parts.ended || whole.send(event)) }),
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
    fault: 'goes on when its observer throws',
    noticedBy: 'rejects done when the observer throws, and feeds the machine nothing more',
    breakIt: forgivesItsObserver,
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
    fault: 'takes close for the end of the machine',
    noticedBy: 'leaves done pending when it is closed',
    breakIt: takesCloseForTheEnd,
  },
  {
    fault: 'aborts every effect at a cancel',
    noticedBy: 'aborts exactly the effect that cancel names, and no earlier',
    breakIt: abortsAll,
  },
  {
    fault: 'never aborts',
    noticedBy: 'aborts exactly the effect that cancel names, and no earlier',
    breakIt: () => ({ cancel: () => undefined }),
  },
  {
    fault: 'aborts a turn after the cancel',
    noticedBy: 'aborts at the place of the cancel among the effects of its step',
    breakIt: (whole) => ({ cancel: (id) => queueMicrotask(() => whole.cancel(id)) }),
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
    breakIt: callsEarlyListenersAlone,
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
    fault: 'leaves effects out when it is closed',
    noticedBy: 'aborts everything that is out when it is closed',
    breakIt: leavesOutAtClose,
  },
]

import type { Capability } from '@shardwise/testing'
import {
  abortsAll,
  callsEarlyListenersAlone,
  forgivesItsObserver,
  leavesOutAtClose,
  showsAfterwards,
  takesCloseForTheEnd,
} from './breaksOfAnyMachine.ts'
import type { BrokenDriver } from './brokenRuntimes.ts'

/** Drivers of the shard consumer alone: a case notices each of them also when all that it says it can is `can`. */
export const brokenShardDrivers: readonly (BrokenDriver & { readonly can: readonly Capability[] })[] = [
  {
    fault: 'lets a handler that throws throw through the step',
    can: [],
    noticedBy: 'lets the machine decide what follows a handler that throws at once',
    breakIt: (whole, parts) => ({
      begin(effect) {
        if (!('id' in effect) || effect.type === 'cancel') whole.begin(effect)
        else parts.hear(effect, parts.call(effect, parts.makeOut(effect.id).context))
      },
    }),
  },
  {
    fault: 'believes the id that a handler gives',
    can: [],
    noticedBy: 'names an answer to a shard consumer by its effect, whatever id the handler put into it',
    breakIt: (_, parts) => ({ answered: (id, body) => parts.feed({ id, ...body } as never) }),
  },
  {
    fault: 'keeps a pause to itself',
    can: [],
    noticedBy: 'takes a pause and its end as events: what is read meanwhile is held',
    breakIt: (whole) => ({ send: (event) => void (event.type === 'pause' || whole.send(event)) }),
  },
  {
    fault: 'aborts when the other effects of the step have started',
    can: ['aborts'],
    noticedBy: 'aborts a read before it starts what the same step asks for, and leaves the write beside it alone',
    breakIt: (whole) => ({
      startAll: (effects) => whole.startAll(effects.toSorted((a, b) => Number(a.type === 'cancel') - Number(b.type === 'cancel'))),
    }),
  },
  {
    fault: 'aborts all effects at a cancel',
    can: ['aborts'],
    noticedBy: 'aborts a read before it starts what the same step asks for, and leaves the write beside it alone',
    breakIt: abortsAll,
  },
  {
    fault: 'calls back only those who listened before the abort',
    can: ['aborts'],
    noticedBy: 'calls back at once who listens to a read that is aborted already',
    breakIt: callsEarlyListenersAlone,
  },
  {
    fault: 'goes on with a shard consumer after it was closed',
    can: ['closes'],
    noticedBy: 'feeds a shard consumer neither answers nor events after close, and starts nothing more',
    breakIt: () => ({ close: () => undefined }),
  },
  {
    fault: 'leaves the effects of a shard consumer out when it is closed',
    can: ['closes', 'aborts'],
    noticedBy: 'aborts what a shard consumer has out when it is closed',
    breakIt: leavesOutAtClose,
  },
  {
    fault: 'takes close for the end of a shard consumer',
    can: ['closes', 'ends'],
    noticedBy: 'leaves done of a shard consumer pending when it is closed',
    breakIt: takesCloseForTheEnd,
  },
  {
    fault: 'never says that a shard consumer has ended',
    can: ['ends'],
    noticedBy: 'resolves done when a shard consumer ends, and not before',
    breakIt: () => ({ resolve: () => undefined }),
  },
  {
    fault: 'goes on where a shard consumer was answered outside the table',
    can: ['ends'],
    noticedBy: 'rejects done when a handler answers a shard consumer outside the table, and starts nothing more',
    breakIt: () => ({ fail: () => undefined }),
  },
  {
    fault: 'shows the step of a shard consumer when its effects have started',
    can: ['observes'],
    noticedBy: 'shows the observer the step of a shard consumer before its effects start',
    breakIt: showsAfterwards,
  },
  {
    fault: 'goes on when the observer of a shard consumer throws',
    can: ['observes', 'ends'],
    noticedBy: 'rejects done when the observer of a shard consumer throws, and starts nothing more',
    breakIt: forgivesItsObserver,
  },
  {
    fault: 'forgets how an error is called',
    can: ['observes'],
    noticedBy: 'shows the observer the failure of a handler by its name and its message',
    breakIt: (whole) => ({ failed: (id, error) => whole.failed(id, new Error(error instanceof Error ? error.message : '')) }),
  },
]

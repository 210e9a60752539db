import type { ShardEvent } from '@shardwise/machine'
import type { BrokenDriver } from './brokenRuntimes.ts'

/** Drivers that are wrong in what they feed for an effect. */
export const brokenAnswers: readonly BrokenDriver[] = [
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
]

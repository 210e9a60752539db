import { type Action, type ChildMessage, checkpointLine } from './messages.ts'
import { printable } from './printable.ts'

type Checkpoint = Extract<ChildMessage, { action: 'checkpoint' }>

/** What a conversation needs of the world. */
export interface ConversationLinks {
  write(line: string): Promise<void>
  /** A name for the next checkpoint request. */
  nextRequest(): string
  /** Asks for a checkpoint; `settle` is called with the same request, perhaps at once. */
  requestCheckpoint(request: string, asked: Checkpoint): void
  /** Hears of what is out of turn. */
  warn(message: string): void
}

/** While a checkpoint is out, a child has no reason to say more than this. */
const mostQueued = 16
/** How many lines may wait for a child to read them: an action, and replies to checkpoints that it asks for without reading any. */
const mostUnread = 16
/** How long a status that came before the reply to a checkpoint waits for a second one. */
const secondStatusMs = 1_000
/** Actions during which nothing can be checkpointed. */
const withoutCheckpointer: readonly Action[] = ['initialize', 'leaseLost']
/** Actions after which nothing is asked. The example of aws-kcl completes the end of its shard twice, and both may be read at once. */
const last: readonly Action[] = ['leaseLost', 'shardEnded']

/**
 * The talk with one child, in lock-step: an action is sent when the one before it has its status and no checkpoint is out; meanwhile the child may ask for
 * checkpoints, one after another. A status for another action, or too much talk, breaks it for good; the status of a last action ends it.
 */
export class Conversation {
  readonly #links: ConversationLinks
  readonly #timeoutMs: number | undefined
  #broken: string | undefined
  #isUnsent = false
  #pending: { readonly action: Action; resolve(): void; reject(error: Error): void } | undefined
  /** The action before the pending one: some record processors complete one twice. */
  #completed: Action | undefined
  #checkpoint: { readonly request: string; readonly asked: Checkpoint } | undefined
  #queued: ChildMessage[] = []
  /** Lines that were written and are not read. */
  #unread = 0
  /** A status for the pending action came before the reply to its checkpoint. */
  #early = false
  /** Whether such a status is the only one, as this child has shown. */
  #earlyCounts = false
  #timer: NodeJS.Timeout | undefined
  #quiet: (() => void) | undefined

  /** `timeoutMs` bounds the wait for each message of the child. */
  constructor(links: ConversationLinks, timeoutMs: number | undefined) {
    this.#links = links
    this.#timeoutMs = timeoutMs
  }

  /** Whether the action that was asked for last was not sent, as when the conversation had ended by then. */
  get isUnsent(): boolean {
    return this.#isUnsent
  }

  /** Sends an action; resolves at its status. @throws Error with the reason when the conversation breaks. */
  async ask(action: Action, line: string): Promise<void> {
    if (this.#pending !== undefined) throw new Error(`${action}: asked while ${this.#pending.action} is not answered`)
    this.#isUnsent = true
    while (this.#checkpoint !== undefined && this.#broken === undefined) {
      await new Promise<void>((resolve) => {
        this.#quiet = resolve
      })
    }
    if (this.#broken !== undefined) throw new Error(this.#broken)
    const answered = new Promise<void>((resolve, reject) => {
      this.#pending = { action, resolve, reject }
    })
    this.#isUnsent = !this.#write(line)
    this.#awaitMessage()
    await answered
  }

  /** Takes a message of the child. */
  hear(message: ChildMessage): void {
    if (this.#broken !== undefined) return
    if (this.#checkpoint === undefined) this.#take(message)
    else if (!this.#early && this.#isAnswer(message)) this.#early = true
    else if (this.#queued.length < mostQueued) this.#queued.push(message)
    else this.break(`it sent more than ${mostQueued} messages while a checkpoint was out`)
  }

  /** Ends a checkpoint with the name of its error, and tells the child; another request is ignored. */
  settle(request: string, error: string | null): void {
    if (this.#checkpoint?.request !== request || this.#broken !== undefined) return
    const { asked } = this.#checkpoint
    this.#checkpoint = undefined
    this.#reply(asked, error)
    for (let next = this.#queued.shift(); next !== undefined; next = this.#queued.shift()) {
      this.#take(next)
      if (this.#checkpoint !== undefined) return
    }
    if (this.#early) this.#awaitSecondStatus()
    this.#quiet?.()
  }

  /** Ends the conversation: what waits, and every later action, rejects with the reason. */
  break(reason: string): void {
    if (this.#broken !== undefined) return
    this.#broken = reason
    clearTimeout(this.#timer)
    this.#queued = []
    this.#quiet?.()
    this.#pending?.reject(new Error(reason))
    this.#pending = undefined
  }

  #take(message: ChildMessage): void {
    if (message.action === 'checkpoint') this.#takeCheckpoint(message)
    else if (this.#isAnswer(message)) this.#complete()
    else if (this.#pending === undefined || (message.responseFor !== undefined && message.responseFor === this.#completed)) {
      this.#links.warn(`it sent a status for ${printable(message.responseFor ?? 'nothing')} that nothing asked for`)
    } else this.break(`it answered ${this.#pending.action} with a status for ${printable(message.responseFor ?? 'nothing')}`)
  }

  #isAnswer(message: ChildMessage): boolean {
    return message.action === 'status' && this.#pending !== undefined && message.responseFor === this.#pending.action
  }

  #complete(): void {
    clearTimeout(this.#timer)
    this.#early = false
    const pending = this.#pending
    this.#pending = undefined
    this.#completed = pending?.action
    pending?.resolve()
    if (pending !== undefined && last.includes(pending.action)) this.break(`nothing is asked after ${pending.action}`)
  }

  #takeCheckpoint(asked: Checkpoint): void {
    if (this.#pending !== undefined && withoutCheckpointer.includes(this.#pending.action)) {
      this.#reply(asked, 'InvalidStateException')
      return
    }
    // The wait is not the child's while the checkpoint is being stored.
    clearTimeout(this.#timer)
    const request = this.#links.nextRequest()
    this.#checkpoint = { request, asked }
    this.#links.requestCheckpoint(request, asked)
  }

  #reply(asked: Checkpoint, error: string | null): void {
    this.#write(checkpointLine(asked, error))
    if (this.#pending !== undefined) this.#awaitMessage()
  }

  /** Writes a line; false when too many wait already, which ends the conversation. */
  #write(line: string): boolean {
    this.#unread += 1
    if (this.#unread > mostUnread) {
      this.break(`it does not read its stdin: ${mostUnread} lines wait`)
      return false
    }
    this.#links.write(line).then(
      () => {
        this.#unread -= 1
      },
      (error: unknown) => this.break(`it does not read its stdin: ${String(error)}`),
    )
    return true
  }

  #awaitMessage(): void {
    clearTimeout(this.#timer)
    const ms = this.#timeoutMs
    if (ms === undefined || this.#broken !== undefined) return
    this.#timer = setTimeout(() => this.break(`it did not answer ${this.#pending?.action} within ${ms} ms`), ms)
  }

  /**
   * Some record processors complete an action twice, before and after the reply to their checkpoint, others only before. The second status of the former must
   * not be taken for the answer to the next action.
   */
  #awaitSecondStatus(): void {
    if (this.#earlyCounts) {
      this.#complete()
      return
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#earlyCounts = true
      this.#complete()
    }, secondStatusMs)
  }
}

/** Passes events to a machine that may not run yet: those that come before `open` are kept for it. */
export interface Mailbox<Event> {
  readonly send: (event: Event) => void
  open(receiver: { send(event: Event): void }): void
}

/** A closed mailbox. What is kept is bounded by what the machine's own start can bring about. */
export function createMailbox<Event>(): Mailbox<Event> {
  let receiver: { send(event: Event): void } | undefined
  const early: Event[] = []
  return {
    send(event) {
      if (receiver === undefined) early.push(event)
      else receiver.send(event)
    },
    open(opened) {
      receiver = opened
      for (const event of early.splice(0)) opened.send(event)
    },
  }
}

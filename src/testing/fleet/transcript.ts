import type { Observation } from '@shardwise/machine/host'

/** The last lines of what happened: events after `>`, effects after `!`, and what was done to the fleet after `*`. */
export class Transcript {
  readonly lines: string[] = []
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  readonly tell = (atMs: number, what: string): void => this.#add(`${clock(atMs)} * ${what}`)

  readonly observe = (atMs: number, worker: string, observation: Observation): void => {
    if (this.#most === 0) return
    const { machine, step } = observation
    if (step.before === step.after && step.effects.length === 0) return
    const of =
      machine === 'coordinator' ? 'coordinator' : machine === 'leaseKeeper' ? `keeper ${observation.leaseKey}` : observation.shardId
    const asked = (step.effects as readonly object[]).map((effect) => ` ! ${shortly(effect)}`).join('')
    this.#add(`${clock(atMs)} ${worker} ${of} > ${step.event === null ? 'start' : shortly(step.event)}${asked}`)
  }

  #add(line: string): void {
    if (this.#most === 0) return
    this.lines.push(line)
    if (this.lines.length > 2 * this.#most) this.lines.splice(0, this.lines.length - this.#most)
  }
}

/** The time since the start, in seconds. */
const clock = (atMs: number): string => (atMs / 1_000).toFixed(3).padStart(10)

/** An event or effect on one line: its type, its id, and the rest so far as it is short. */
function shortly(value: object): string {
  const { type, id, ...rest } = value as { type: string; id?: number }
  const text = Object.entries(rest)
    .map(([name, part]) => `${name}=${cut(part)}`)
    .join(' ')
  return `${type}${id === undefined ? '' : ` #${id}`}${text === '' ? '' : ` ${text}`}`
}

function cut(part: unknown): string {
  if (Array.isArray(part)) return `[${part.length}]`
  if (typeof part === 'object' && part !== null && 'sequenceNumber' in part) return String(part.sequenceNumber).slice(-9)
  const text = JSON.stringify(part) ?? 'undefined'
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

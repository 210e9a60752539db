// fast-check keeps the clock, the dice and the timers it finds when it is first loaded, so that its seeds and time limits go on working.
import 'fast-check'
import { afterAll } from 'vitest'

const withheld = (name: string) => (): never => {
  throw new Error(`${name}: the pure packages have no clock, dice, timers, log or network`)
}

const methodsOf = (owner: object): readonly string[] =>
  Object.entries(owner).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))

// A date of a given instant is a value; a date of this instant reads the clock.
const datesOfInstants = new Proxy(Date, {
  construct: (target, given: readonly unknown[], newTarget) =>
    given.length === 0 ? withheld('new Date')() : (Reflect.construct(target, given, newTarget) as Date),
  apply: withheld('Date'),
})

const taken: [owner: object, name: string, own: PropertyDescriptor | undefined][] = []

function replace(owner: object, name: string, value: unknown): void {
  taken.push([owner, name, Object.getOwnPropertyDescriptor(owner, name)])
  Object.defineProperty(owner, name, { value, configurable: true, writable: true })
}

const withhold = (owner: object, ownerName: string, names: readonly string[]): void => {
  for (const name of names) replace(owner, name, withheld(`${ownerName}${name}`))
}

withhold(Math, 'Math.', ['random'])
withhold(performance, 'performance.', ['now'])
withhold(crypto, 'crypto.', ['getRandomValues', 'randomUUID'])
withhold(console, 'console.', methodsOf(console))
withhold(globalThis, '', ['setTimeout', 'setInterval', 'setImmediate', 'fetch'])
withhold(Date, 'Date.', ['now'])
replace(globalThis, 'Date', datesOfInstants)

// The files of a worker share its globals, and vitest reads the clock between them.
afterAll(() => {
  for (const [owner, name, own] of taken.reverse()) {
    if (own === undefined) Reflect.deleteProperty(owner, name)
    else Object.defineProperty(owner, name, own)
  }
})

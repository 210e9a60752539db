// fast-check keeps the clock, the dice and the timers it finds when it is first loaded, so that its seeds and time limits go on working.
import 'fast-check'

const withheld = (name: string) => (): never => {
  throw new Error(`${name}: the pure packages have no clock, dice, timers, log or network`)
}

const withhold = (owner: object, ownerName: string, names: readonly string[]): void => {
  for (const name of names) {
    Object.defineProperty(owner, name, { value: withheld(`${ownerName}${name}`), configurable: true, writable: true })
  }
}

const methodsOf = (owner: object): readonly string[] =>
  Object.entries(owner).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))

// vitest holds what it needs of all this before a setup file runs, and each test file has globals of its own: nothing has to be put back.
withhold(Math, 'Math.', ['random'])
withhold(performance, 'performance.', ['now'])
withhold(crypto, 'crypto.', ['getRandomValues', 'randomUUID'])
withhold(console, 'console.', methodsOf(console))
withhold(globalThis, '', ['setTimeout', 'setInterval', 'setImmediate', 'fetch'])
withhold(Date, 'Date.', ['now'])

// A date of a given instant is a value; a date of this instant reads the clock.
globalThis.Date = new Proxy(Date, {
  construct: (target, given: readonly unknown[], newTarget) =>
    given.length === 0 ? withheld('new Date')() : (Reflect.construct(target, given, newTarget) as Date),
  apply: withheld('Date'),
})

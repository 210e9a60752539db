/**
 * Takes the world away from a bundle: imported before the engine, it hides every global but the values of the language that know no time, no dice and no
 * network. What cannot be hidden is named. `putBack` gives all of it back, for the runtime itself.
 */
const kept: ReadonlySet<PropertyKey> = new Set(
  (
    'globalThis undefined NaN Infinity Object Function Array String Boolean Number BigInt Symbol Math JSON Map Set WeakMap WeakSet Promise Proxy Reflect ' +
    'RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError parseInt parseFloat isNaN isFinite'
  ).split(' '),
)

interface Seen {
  readonly owner: object
  readonly key: PropertyKey
  readonly descriptor: PropertyDescriptor
}

/** XState takes hold of `console.log` when it is loaded. */
const silent = {
  log: () => {
    throw new Error('console: the machine has no log')
  },
}

/** What a program sees of the world, the kept names apart. Some runtimes load a part of themselves when it is looked at: this comes before any hiding. */
function lookAround(): readonly Seen[] {
  const seen: Seen[] = []
  const look = (owner: object, key: PropertyKey): void => {
    const descriptor = Object.getOwnPropertyDescriptor(owner, key)
    if (descriptor !== undefined) seen.push({ owner, key, descriptor })
  }
  for (let owner: object | null = globalThis; owner !== null && owner !== Object.prototype; owner = Reflect.getPrototypeOf(owner)) {
    for (const key of Reflect.ownKeys(owner)) if (key !== 'constructor' && !kept.has(key)) look(owner, key)
  }
  look(Math, 'random')
  return seen
}

function withhold(): { readonly visible: readonly string[]; readonly putBack: () => void } {
  const seen = lookAround()
  // Under its own queueMicrotask, Deno has the one of V8.
  for (const { owner, key } of [...seen, ...seen]) Reflect.deleteProperty(owner, key)
  const left = seen.filter(({ owner, key }) => Object.hasOwn(owner, key))
  Object.defineProperty(globalThis, 'console', { value: silent, configurable: true })
  return {
    visible: [...new Set(left.map(({ key }) => String(key)))].toSorted(),
    putBack: () => {
      Reflect.deleteProperty(globalThis, 'console')
      for (const { owner, key, descriptor } of seen.filter((one) => !left.includes(one))) Object.defineProperty(owner, key, descriptor)
    },
  }
}

/** The names of the world that could not be hidden, and the way to put the others back. */
export const world = withhold()

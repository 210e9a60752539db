import fc from 'fast-check'

/** One change to bytes: a run of them is replaced by others, at a place that is a part of the length. */
interface Change {
  readonly at: number
  readonly removed: number
  readonly inserted: Uint8Array
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(400) }),
  inserted: fc.oneof({ weight: 3, arbitrary: fc.uint8Array({ maxLength: 4 }) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) }),
})

function changed(bytes: Uint8Array, { at, removed, inserted }: Change): Uint8Array {
  const from = Math.floor(at * bytes.length)
  return Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(from + removed)])
}

/** Bytes near to some that are well-formed, and bytes that are near to nothing. */
export function bytesNear(wellFormed: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(fc.constantFrom(...wellFormed), fc.array(change, { maxLength: 6 }))
    .map(([bytes, changes]) => changes.reduce(changed, bytes))
  return fc.oneof({ weight: 6, arbitrary: mutated }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) })
}

/** What keeps a message from being one short line of a log; undefined when nothing does. */
export function unfitForALog(message: string): string | undefined {
  if (message.length > 1_500) return `${message.length} characters`
  const [control] = /[\p{Cc}\u2028\u2029]/u.exec(message) ?? []
  return control === undefined ? undefined : `the character ${control.codePointAt(0)}`
}

/** Texts of characters that mean something to a terminal, a parser or a log, and of any others. */
export const hostileText = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'\n\r\t\0\u001b\u007f\u009b\u2028\u2029\ufeff\ud800"\'\\{}[]:, 09x'.split('')),
      fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
    ),
    maxLength,
  })

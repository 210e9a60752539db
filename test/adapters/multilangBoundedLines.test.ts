import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedLines } from '../../src/adapters/multilang/boundedLines.ts'

/** The lines of bytes that come in pieces. */
function linesOf(mostBytes: number, pieces: readonly Uint8Array[]): readonly (readonly [string, boolean])[] {
  const lines: (readonly [string, boolean])[] = []
  const bounded = new BoundedLines(mostBytes, (line, cut) => void lines.push([line, cut]))
  for (const piece of pieces) bounded.push(piece)
  bounded.end()
  return lines
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('bounded lines', () => {
  it('are the lines of the bytes, wherever these are cut into pieces', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', '\r', ' ') })
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 40 })), (whole, cuts) => {
        const all = bytes(whole)
        const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).toSorted((a, b) => a - b), all.length]
        const pieces = places.slice(1).map((place, index) => all.subarray(places[index], place))
        const expected = whole.split('\n').map((line) => line.replace(/\r$/, ''))
        if (!/[^\n]$/.test(whole)) expected.pop()

        expect(linesOf(1_000, pieces)).toEqual(expected.map((line) => [line, false]))
      }),
    )
  })

  it('hold no more than their bound: the rest of a line is dropped, and said to be', () => {
    expect(linesOf(4, [bytes('12345678\nabcd\nabc'), bytes('de\nxyz')])).toEqual([
      ['1234', true],
      ['abcd', false],
      ['abcd', true],
      ['xyz', false],
    ])
    expect(linesOf(4, [bytes('1234'), bytes('5'), bytes('')])).toEqual([['1234', true]])
  })
})

import { shown, unexpected } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'

describe('a value in an error message', () => {
  it.each([
    ['a text', 'lease', '"lease"'],
    ['an object', { leaseKey: 'a' }, '{"leaseKey":"a"}'],
    ['null', null, 'null'],
    ['nothing', undefined, 'undefined'],
    ['a number', 7.5, '7.5'],
    ['no number', Number.NaN, 'NaN'],
    ['a line break', 'a\nb', '"a\\nb"'],
    ['a character that steers a terminal', '\u009b31m', '"\\u009b31m"'],
    ['a delete character', '\u007f', '"\\u007f"'],
    ['a separator of lines', 'a\u2028b', '"a\\u2028b"'],
  ])('is shown as JSON, or by its name, where it is %s', (_, value, text) => {
    expect(shown(value)).toBe(text)
  })

  it('is cut after 200 characters', () => {
    expect(shown('x'.repeat(198))).toBe(`"${'x'.repeat(198)}"`)
    expect(shown('x'.repeat(199))).toBe(`"${'x'.repeat(199)}…`)
    expect(shown('x'.repeat(100_000))).toBe(`"${'x'.repeat(199)}…`)
  })

  it('stands behind the field and what was expected of it', () => {
    expect(unexpected('token', 'a whole number from 0', -1)).toEqual(new Error('token: expected a whole number from 0, got -1'))
  })
})

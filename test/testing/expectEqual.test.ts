import { describe, expect, it } from 'vitest'
import { expectEqual } from '../../src/testing/expectEqual.ts'

const complaintOf = (actual: unknown, expected: unknown): string => {
  try {
    expectEqual(actual, expected, 'effects')
  } catch (error) {
    return (error as Error).message
  }
  return 'none'
}

describe('two values are the same', () => {
  it.each<[string, unknown, unknown]>([
    ['in whatever order their members are', { a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }],
    ['with a member that is undefined, which JSON leaves out', [{ a: 1, b: undefined }], [{ a: 1 }]],
    ['without one that is expected to be undefined', { a: {} }, { a: { b: undefined } }],
    ['with a zero of either sign, which JSON does not tell apart', -0, 0],
    ['when neither is a number', NaN, NaN],
  ])('%s', (_, actual, expected) => {
    expect(complaintOf(actual, expected)).toBe('none')
  })
})

describe('two values that differ are both told', () => {
  it.each<[unknown, unknown, string]>([
    [{ a: 1 }, { a: 2 }, 'effects: expected {"a":2}, got {"a":1}'],
    [{ a: 1, b: null }, { a: 1 }, 'effects: expected {"a":1}, got {"a":1,"b":null}'],
    [{ b: 1 }, { a: 1 }, 'effects: expected {"a":1}, got {"b":1}'],
    [[1], [1, 2], 'effects: expected [1,2], got [1]'],
    [{ 0: 1 }, [1], 'effects: expected [1], got {"0":1}'],
    [null, {}, 'effects: expected {}, got null'],
    [undefined, [], 'effects: expected [], got undefined'],
    [{ a: NaN }, { a: null }, 'effects: expected {"a":null}, got {"a":"NaN"}'],
    [{ a: 1n }, { a: 1 }, 'effects: expected {"a":1}, got {"a":"1"}'],
    [{ a: Math.max }, {}, 'effects: expected {}, got {"a":"function max() { [native code] }"}'],
  ])('%o and %o', (actual, expected, message) => {
    expect(complaintOf(actual, expected)).toBe(message)
  })
})

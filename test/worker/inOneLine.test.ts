import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inOneLine } from '../../src/worker/inOneLine.ts'
import { lineLogger } from '../../src/worker/lineLogger.ts'
import { hostileText } from '../fuzz/hostile.ts'

describe('a line of the log', () => {
  it('is one line of bounded length that steers no terminal, whatever was to be said', () => {
    fc.assert(
      fc.property(hostileText(100), fc.nat(60), (text, times) => {
        const lines: string[] = []
        lineLogger('debug', (line) => lines.push(line)).info(text.repeat(times))

        expect(lines).toHaveLength(1)
        expect(lines[0]).toMatch(/^\S+ info [^\p{Cc}\u2028\u2029]{0,2001}\n$/u)
      }),
      { numRuns: 100 },
    )
  })

  it('is left as it is where nothing is wrong with it', () => {
    expect(inOneLine('shardId-000000000000: recordsFailed: RangeError: größer als erwartet 😀')).toBe(
      'shardId-000000000000: recordsFailed: RangeError: größer als erwartet 😀',
    )
    expect(inOneLine('a\tb\n   c\r\nd\u001b[31me')).toBe('a b c d?[31me')
  })

  it.each([
    [
      'in the headers that AWS quotes',
      'host:x\nx-amz-security-token:SECRET/+=\n\nhost;x-amz-security-token\n',
      'host:x x-amz-security-token:… host;x-amz-security-token',
    ],
    ['in a query', 'GET /?X-Amz-Security-Token=SECRET&x=1', 'GET /?X-Amz-Security-Token=…&x=1'],
    ['in JSON', '{"x-amz-security-token": "SECRET", "host": "x"}', '{"x-amz-security-token": "…", "host": "x"}'],
    ['that is cut', `${' '.repeat(3_990)}x-amz-security-token:SECRET`, `${' '.repeat(2_000)}…`],
  ])('does not show the session token %s', (_, text, line) => {
    expect(inOneLine(text)).toBe(line)
  })
})

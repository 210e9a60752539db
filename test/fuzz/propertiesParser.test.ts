import { parseProperties } from '@shardwise/multilang'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMultilangProperties } from '../../src/worker/multilangProperties.ts'
import { bytesNear, unfitForALog } from './hostile.ts'

const file = `# A worker
executableName = node app.js
applicationName: orders-app
streamArn arn:aws:kinesis:eu-west-1:123456789012:stream/orders
AwsCredentialsProvider = DefaultCredentialsProvider
initialPositionInStreamExtended = 1700000000
failoverTimeMillis = 10000, \\
  maxRecords = \\u0031000
retrievalMode=POLLING
fanoutConfig.consumerName = x
shutdownGraceMillis = 5000\r\nunknown\\ key = 1
`
const files = [Buffer.from(file, 'latin1'), Buffer.from('executableName=a\napplicationName=b\nstreamName=c\nmaxRecords=7\n', 'latin1')]

/** What a file is refused with; undefined when it is read. */
function refusalOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    expect((error as Error).constructor).toBe(Error)
    return (error as Error).message
  }
}

describe('the reader of properties files', () => {
  it('reads any bytes, or names the line that it cannot read, and makes no more of them than there is', () => {
    fc.assert(
      fc.property(bytesNear(files), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1')
        let size = 0
        const refusal = refusalOf(() => {
          for (const [key, value] of parseProperties(text)) size += key.length + value.length
        })

        expect(refusal ?? 'properties: line 1: ').toMatch(/^properties: line \d+: /)
        expect(size).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 500 },
    )
  })

  it('makes settings of them, or one error that is fit for a log', () => {
    let read = 0
    fc.assert(
      fc.property(bytesNear(files), (bytes) => {
        const refusal = refusalOf(() => readMultilangProperties(Buffer.from(bytes).toString('latin1')))

        if (refusal === undefined) read += 1
        else {
          expect(refusal).toMatch(/: (expected|line \d+:)|^\S+: /)
          expect(unfitForALog(refusal)).toBeUndefined()
        }
      }),
      { numRuns: 500 },
    )
    expect(read).toBeGreaterThan(10)
  })

  it.each([
    ['backslashes', '\\'],
    ['ends of lines', '\r\n'],
    ['lines that go on', 'a\\\n'],
    ['escapes', '\\u0041'],
    ['blanks', ' '],
    ['separators', '=: '],
    ['comments', '#\n'],
    ['comments that look as if they went on', '!\\\n'],
    ['keys', 'a=b\n'],
  ])('reads a long file of %s once', (_, repeated) => {
    const text = repeated.repeat(200_000 / repeated.length)
    expect(parseProperties(text).size).toBeLessThanOrEqual(1)
    expect(parseProperties(`${text}=${text}`).size).toBeLessThanOrEqual(2)
  })
})

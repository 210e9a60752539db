import { describe, expect, it } from 'vitest'
import { compiledProgramText } from '../../tools/compiledProgram.ts'
import { moduleSize } from '../../tools/moduleSize.ts'
import { textOf } from './tree.ts'

describe('the compiled shard consumer', () => {
  it('was compiled from the machine as it is now: npm run compile', () => {
    expect(textOf('src/machine/shardConsumerProgram.ts')).toBe(compiledProgramText())
  })

  it('is under 8 kB, minified and gzipped, and has nothing of XState in it', async () => {
    const { gzipped, files } = await moduleSize({ entryPoints: ['src/machine/compiled.ts'], conditions: ['@shardwise/source'] })

    expect(files.filter((path) => !/^src\/(machine|effects)\//.test(path))).toEqual([])
    expect(gzipped).toBeLessThan(8_000)
  })
})

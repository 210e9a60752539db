import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { compiledProgramText } from '../../tools/compiledProgram.ts'
import { textOf } from './tree.ts'

describe('the compiled shard consumer', () => {
  it('was compiled from the machine as it is now: npm run compile', () => {
    expect(textOf('src/machine/shardConsumerProgram.ts')).toBe(compiledProgramText())
  })

  it('is under 8.5 kB, minified and compressed, and has nothing of XState in it', async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: ['src/machine/compiled.ts'],
      bundle: true,
      minify: true,
      format: 'esm',
      conditions: ['@shardwise/source'],
      metafile: true,
      write: false,
    })

    expect(Object.keys(metafile.inputs).filter((path) => !/^src\/(machine|effects)\//.test(path))).toEqual([])
    expect(gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length).toBeLessThan(8_500)
  })
})

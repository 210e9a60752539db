import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'
import { minify } from 'terser'

/** How large a module is where it is downloaded, in bytes. */
export interface ModuleSize {
  readonly minified: number
  readonly gzipped: number
  /** The files that are part of it. */
  readonly files: readonly string[]
}

/** Measures an ES module with all that it imports: bundled, minified by terser, as webpack does, and gzipped as well as gzip can. */
export async function moduleSize(entry: Pick<BuildOptions, 'entryPoints' | 'stdin' | 'conditions'>): Promise<ModuleSize> {
  const { metafile, outputFiles } = await build({ ...entry, bundle: true, format: 'esm', metafile: true, write: false, logLevel: 'silent' })
  const { code = '' } = await minify(outputFiles[0]?.text ?? '', { module: true, ecma: 2020, compress: { ecma: 2020, passes: 3 } })
  return {
    minified: Buffer.byteLength(code),
    gzipped: gzipSync(code, { level: 9 }).length,
    files: Object.keys(metafile.inputs),
  }
}

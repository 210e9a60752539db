import { mkdir, readFile, rename } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'node_modules', '.cache', 'programs')

/** Modules go on finding what lies beside their own files, or what stands in for it: a file by the URL that a module makes of its own. */
const ownUrls = (standIns: Readonly<Record<string, string>>): Plugin => ({
  name: 'own urls',
  setup({ onLoad, onEnd }) {
    const unused = new Set(Object.keys(standIns))
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8')
      for (const [beside, file] of Object.entries(standIns)) {
        const url = `new URL('${beside}', import.meta.url)`
        if (contents.includes(url)) unused.delete(beside)
        contents = contents.replaceAll(url, `new URL(${JSON.stringify(pathToFileURL(file).href)})`)
      }
      return { contents: contents.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' }
    })
    onEnd(() => {
      if (unused.size > 0) throw new Error(`program: expected a module that uses ${[...unused].join(', ')}`)
    })
  },
})

/**
 * Bundles a program of the sources, with all that it imports but the given packages, into one file that Node runs, and answers its path: it starts in a third
 * of the time that the sources take one by one. `standIns` are programs of their own that it starts, by the names of their sources.
 */
export async function program(
  entry: string,
  external: readonly string[] = [],
  standIns: Readonly<Record<string, string>> = {},
): Promise<string> {
  const path = join(folder, relative(root, entry).replaceAll('/', '-').replace(/\.ts$/, '.mjs'))
  const own = `${path}.${process.pid}`
  await mkdir(folder, { recursive: true })
  await build({
    entryPoints: [entry],
    outfile: own,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@shardwise/source'],
    external: [...external],
    plugins: [ownUrls(standIns)],
    // Modules of CommonJS ask for those of Node.
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url)" },
    logLevel: 'error',
  })
  // Another test file may be starting the one that is there.
  await rename(own, path)
  return path
}

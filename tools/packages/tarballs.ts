import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/** A package as npm would publish it. */
export interface Tarball {
  readonly name: string
  readonly file: string
  /** What users import: its name, and its name with the paths that it exports. */
  readonly entries: readonly string[]
  /** Its file, and those of its sisters that it depends on, one behind the other. */
  readonly withSisters: readonly string[]
}

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, '../..')

/** Builds all packages anew, so that nothing of removed sources is left, and packs them into a folder. */
export async function packAll(folder: string): Promise<readonly Tarball[]> {
  const { workspaces } = await manifestIn('')
  for (const workspace of workspaces) await rm(join(root, workspace, 'dist'), { recursive: true, force: true })
  await run('npm', ['run', 'build'], root)
  const packed = await run('npm', ['pack', '--workspaces', '--json', '--loglevel=error', '--pack-destination', folder], root)
  const files = new Map((JSON.parse(packed) as readonly { name: string; filename: string }[]).map((each) => [each.name, each.filename]))
  const manifests = new Map(await Promise.all(workspaces.map(async (workspace) => named(await manifestIn(workspace)))))

  const fileOf = (name: string): string => join(folder, files.get(name) ?? '')
  const sistersOf = (name: string): readonly string[] => {
    const sisters = Object.keys(manifests.get(name)?.dependencies ?? {}).filter((dependency) => manifests.has(dependency))
    return [name, ...sisters.flatMap(sistersOf)]
  }
  return [...manifests].map(([name, { exports }]) => ({
    name,
    file: fileOf(name),
    entries: Object.keys(exports).map((path) => name + path.slice(1)),
    withSisters: [...new Set(sistersOf(name))].map(fileOf),
  }))
}

const named = (manifest: Manifest): readonly [string, Manifest] => [manifest.name, manifest]

async function manifestIn(workspace: string): Promise<Manifest & { readonly workspaces: readonly string[] }> {
  return JSON.parse(await readFile(join(root, workspace, 'package.json'), 'utf8')) as Manifest & { readonly workspaces: readonly string[] }
}

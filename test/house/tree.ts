import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

const unwritten = new Set(['node_modules', 'dist', 'coverage', 'api', '.git'])

/** Every file under a folder that a person wrote, as paths from the root; installed, built and measured files are left out. */
export function filesUnder(folder: string): readonly string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (unwritten.has(entry.name)) return []
    if (entry.isDirectory()) return filesUnder(path)
    return entry.isFile() && !entry.name.endsWith('.tsbuildinfo') ? [path] : []
  })
}

/** The text of a file, by its path from the root. */
export const textOf = (path: string): string => readFileSync(root + path, 'utf8')

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** A page that a script writes: where it is kept, how it is made, and by which command. */
interface KeptPage {
  readonly path: string
  readonly make: () => string
  readonly madeBy: string
}

/**
 * Writes a page, and answers null. With `--check` it writes nothing, and answers a complaint where the file is another. The arguments may name another file.
 * @throws Error for an option that it does not know, before the page is made.
 */
export function keepPage(args: readonly string[], { path: ownPath, make, madeBy }: KeptPage): string | null {
  const options = { check: { type: 'boolean', default: false } } as const
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  const path = positionals[0] ?? ownPath
  const page = make()
  if (!values.check) writeFileSync(path, page)
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== page) return `${path} is not what would be written now: run ${madeBy}`
  return null
}

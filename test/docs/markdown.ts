import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { textOf } from '../house/tree.ts'

/** A link of a page to a file or folder of this repository. */
export interface Link {
  readonly label: string
  /** The path from the root; the page itself for a link to one of its headings. */
  readonly path: string
  readonly anchor: string | undefined
}

/** A fenced block of a page. */
export interface Block {
  readonly language: string
  /** What follows the language, such as the file that the block is a part of. */
  readonly source: string
  readonly text: string
}

/** The links in the text of a page to files of this repository. */
export function linksIn(page: string, markdown: string): readonly Link[] {
  return [...withoutBlocks(markdown).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)].flatMap(([, label = '', target = '']) => {
    if (/^https?:/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    return [{ label, path: path === '' ? page : posix.join(posix.dirname(page), path), anchor }]
  })
}

/** What is wrong with the links of a page. */
export function brokenLinks(page: string, markdown: string): readonly string[] {
  return linksIn(page, markdown).flatMap(({ label, path, anchor }) => {
    if (!exists(path)) return [`${label}: there is no ${path}`]
    if (anchor === undefined) return []
    return anchorsOf(path === page ? markdown : textOf(path)).includes(anchor) ? [] : [`${label}: there is no #${anchor} in ${path}`]
  })
}

/** The fenced blocks of a page, in order. */
export function blocksIn(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\S*) ?(.*)\n([\s\S]*?)^```$/gm)].map(([, language = '', source = '', text = '']) => ({
    language,
    source,
    text,
  }))
}

/** Whether there is such a file or folder, by its path from the root. */
export const exists = (path: string): boolean => existsSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)))

const withoutBlocks = (markdown: string): string => markdown.replaceAll(/^```[\s\S]*?^```$/gm, '')

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (markdown: string): readonly string[] =>
  [...withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

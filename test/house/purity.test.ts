import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { lineOf, parse } from './imports.ts'
import { filesUnder, textOf } from './tree.ts'

/**
 * Names through which a program learns the time, a random number, its environment, or speaks to the world. Other names of Node and of browsers do not
 * compile in these packages unless they are declared, and `declare` is refused as well.
 */
const forbiddenNames = new Set(
  (
    'Date performance Temporal Intl setTimeout setInterval setImmediate queueMicrotask clearTimeout clearInterval clearImmediate console fetch ' +
    'process crypto require Atomics SharedArrayBuffer WeakRef FinalizationRegistry globalThis eval Function'
  ).split(' '),
)

/** Members that differ from machine to machine or from call to call. */
const forbiddenMembers = new Set(['random', 'localeCompare', 'toLocaleString', 'toLocaleLowerCase', 'toLocaleUpperCase', 'constructor'])

/** The one look at the world: the driver makes abort signals for handlers. */
const allowed = { path: 'src/effects/interpret.ts', name: 'globalThis', taken: 'AbortController' }

function impuritiesIn(path: string, text: string): readonly string[] {
  const file = parse(path, text)
  const found: string[] = []
  const report = (node: ts.Node, what: string): void => {
    found.push(`${path}:${lineOf(file, node.getStart())} ${what}`)
  }
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.DeclareKeyword && !declaresBrand(node.parent)) report(node, 'declare')
    if (isErased(node)) return
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) report(node, 'import.meta')
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) report(node, 'import()')
    if (ts.isIdentifier(node) && namesMember(node)) {
      if (forbiddenMembers.has(node.text)) report(node, node.text)
    } else if (ts.isIdentifier(node)) {
      if (forbiddenNames.has(node.text) && !isAllowed(path, node)) report(node, node.text)
      if (node.text === 'Math' && !ts.isPropertyAccessExpression(node.parent)) report(node, 'Math as a value')
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** Types leave nothing behind. What a class extends is a value, though the parser calls it a type. */
const isErased = (node: ts.Node): boolean =>
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  (ts.isTypeNode(node) &&
    !(ts.isExpressionWithTypeArguments(node) && ts.isHeritageClause(node.parent) && ts.isClassLike(node.parent.parent)))

/** A brand of a type, `declare const x: unique symbol`, stands for nothing at run time. */
const declaresBrand = (node: ts.Node): boolean =>
  ts.isVariableStatement(node) &&
  node.declarationList.declarations.every(
    ({ type }) => type !== undefined && ts.isTypeOperatorNode(type) && type.operator === ts.SyntaxKind.UniqueKeyword,
  )

/** Whether an identifier names a member of something, and so is not a look at a global. */
function namesMember(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isGetAccessorDeclaration(parent) ||
      ts.isSetAccessorDeclaration(parent)) &&
    parent.name === node
  )
}

function isAllowed(path: string, node: ts.Identifier): boolean {
  if (path !== allowed.path || node.text !== allowed.name) return false
  let holder: ts.Node = node.parent
  while (ts.isAsExpression(holder) || ts.isParenthesizedExpression(holder)) holder = holder.parent
  if (!ts.isVariableDeclaration(holder) || !ts.isObjectBindingPattern(holder.name)) return false
  return holder.name.elements.every(
    ({ name, propertyName }) => propertyName === undefined && ts.isIdentifier(name) && name.text === allowed.taken,
  )
}

describe('the pure packages', () => {
  it.each(['src/effects', 'src/machine'])(
    '%s has no line that knows the time, a random number, a network, a log or an environment',
    (folder) => {
      const sources = filesUnder(folder).filter((path) => path.endsWith('.ts'))

      expect(sources.flatMap((path) => impuritiesIn(path, textOf(path)))).toEqual([])
    },
  )
})

describe('the reader of impurities', () => {
  it.each([
    ['const now = Date.now()', 'Date'],
    ['const now = new Date()', 'Date'],
    ['class Clock extends Date {}', 'Date'],
    ['const clock = { Date }', 'Date'],
    ['const roll = Math.random()', 'random'],
    ["const roll = Math['random']()", 'Math as a value'],
    ['const { random } = Math', 'Math as a value'],
    ['setTimeout(go, 1)', 'setTimeout'],
    ['const later = globalThis.setTimeout', 'globalThis'],
    ['const { fetch } = anything', 'fetch'],
    ['const { fetch: load } = globalThis', 'globalThis'],
    ["console.log('x')", 'console'],
    ['const home = process.env', 'process'],
    ['const id = crypto.randomUUID()', 'crypto'],
    ['const t = performance.now()', 'performance'],
    ['const here = import.meta.url', 'import.meta'],
    ["const late = await import('xstate')", 'import()'],
    ["const world = new Function('return this')", 'Function'],
    ["const world = f.constructor('return this')", 'constructor'],
    ['declare const self: { fetch(): void }', 'declare'],
    ['names.sort((a, b) => a.localeCompare(b))', 'localeCompare'],
  ])('sees %s', (text, what) => {
    expect(impuritiesIn('src/machine/any.ts', text)).toEqual([`src/machine/any.ts:1 ${what}`])
  })

  it.each([
    'interface R { readonly at: Date | undefined }',
    'const late = (at: Date): number => at.getTime()',
    'type Process = { process(): void }',
    'const handlers = { process: 1, fetch() {} }',
    'handlers.process(1)',
    'const { process: handler } = handlers',
    'const self = handlers',
    'declare const brand: unique symbol',
    'const least = Math.min(1, 2)',
    '// Date.now() in a comment',
    "const word = 'Date.now()'",
    'class A { constructor() { this.a = 1 } }',
  ])('has nothing against %s', (text) => {
    expect(impuritiesIn('src/machine/any.ts', text)).toEqual([])
  })

  it('lets the driver take AbortController from the world, and nothing else, and nobody but the driver', () => {
    const taking = (names: string) => `const { ${names} } = globalThis as unknown as { AbortController?: new () => Controller }`

    expect(impuritiesIn(allowed.path, taking('AbortController'))).toEqual([])
    expect(impuritiesIn(allowed.path, taking('AbortController, Worker'))).toEqual([`${allowed.path}:1 globalThis`])
    expect(impuritiesIn(allowed.path, 'globalThis.AbortController')).toEqual([`${allowed.path}:1 globalThis`])
    expect(impuritiesIn('src/machine/any.ts', taking('AbortController'))).toEqual(['src/machine/any.ts:1 globalThis'])
  })
})

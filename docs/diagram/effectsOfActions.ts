import { readdirSync, readFileSync } from 'node:fs'
import { effectTable } from '@shardwise/effects'
import ts from 'typescript'

const folder = new URL('../../src/machine/', import.meta.url)

interface Source {
  /** What the file itself declares, by name. */
  readonly declared: ReadonlyMap<string, ts.Node>
  /** Where the names come from that it imports from its own package. */
  readonly imported: ReadonlyMap<string, string>
  /** The names that it exports, and the files of which it exports everything. */
  readonly exported: readonly string[]
  readonly passedOn: readonly string[]
}

/**
 * The effects that each action of the machine may start, read off its source: an action may start what it spells out, as `{ type: … }` or to
 * `startTask`, and what the functions it uses spell out. Whether it does so is decided by the memory of the consumer.
 */
export function effectsOfActions(): ReadonlyMap<string, readonly string[]> {
  const sources = new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [name, readSource(name)]),
  )
  const found = new Map<string, readonly string[]>()
  for (const [name, { file, node }] of exportsOf('actions.ts', sources)) {
    const effects = effectsIn(file, node, sources, new Set())
    found.set(
      name,
      Object.keys(effectTable).filter((effect) => effects.has(effect)),
    )
  }
  return found
}

function readSource(name: string): Source {
  const file = ts.createSourceFile(name, readFileSync(new URL(name, folder), 'utf8'), ts.ScriptTarget.ES2023, true)
  const declared = new Map<string, ts.Node>()
  const imported = new Map<string, string>()
  const exported: string[] = []
  const passedOn: string[] = []
  for (const statement of file.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) declared.set(statement.name.text, statement)
    if (ts.isVariableStatement(statement)) {
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (!ts.isIdentifier(name) || initializer === undefined) continue
        declared.set(name.text, initializer)
        if (statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true) exported.push(name.text)
      }
    }
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier)) {
      const from = statement.moduleSpecifier.text.slice(2)
      if (statement.exportClause === undefined) passedOn.push(from)
      else if (ts.isNamedExports(statement.exportClause)) {
        for (const { name } of statement.exportClause.elements) {
          imported.set(name.text, from)
          exported.push(name.text)
        }
      }
    }
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue
    const bindings = statement.importClause?.namedBindings
    if (!statement.moduleSpecifier.text.startsWith('./') || bindings === undefined || !ts.isNamedImports(bindings)) continue
    for (const { name } of bindings.elements) imported.set(name.text, statement.moduleSpecifier.text.slice(2))
  }
  return { declared, imported, exported, passedOn }
}

interface Place {
  readonly file: string
  readonly node: ts.Node
}

function locate(file: string, name: string, sources: ReadonlyMap<string, Source>): Place | undefined {
  const source = sources.get(file)
  const node = source?.declared.get(name)
  if (node !== undefined) return { file, node }
  const origin = source?.imported.get(name)
  return origin === undefined ? undefined : locate(origin, name, sources)
}

/** What a file exports, by name, what it passes on from others included. */
function exportsOf(file: string, sources: ReadonlyMap<string, Source>): readonly (readonly [string, Place])[] {
  const { exported = [], passedOn = [] } = sources.get(file) ?? {}
  const own = exported.map((name): readonly [string, Place] => {
    const place = locate(file, name, sources)
    if (place === undefined) throw new Error(`${file}: ${name} is exported and not found`)
    return [name, place]
  })
  return [...own, ...passedOn.flatMap((other) => exportsOf(other, sources))]
}

function effectsIn(file: string, root: ts.Node, sources: ReadonlyMap<string, Source>, seen: Set<ts.Node>): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (seen.has(node) || ts.isTypeNode(node)) return
    seen.add(node)
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'type' && ts.isStringLiteral(node.initializer)) {
      found.add(node.initializer.text)
    }
    const task = ts.isCallExpression(node) && node.expression.getText() === 'startTask' ? node.arguments[1] : undefined
    if (task !== undefined && ts.isStringLiteral(task)) found.add(task.text)
    if (ts.isIdentifier(node) && isUse(node)) {
      const place = locate(file, node.text, sources)
      if (place !== undefined) for (const effect of effectsIn(place.file, place.node, sources, seen)) found.add(effect)
    }
    ts.forEachChild(node, visit)
  }
  visit(root)
  return found
}

/** Whether an identifier stands for a value, and is not the name of a member. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node
  return !ts.isBindingElement(parent) && !ts.isParameter(parent)
}

import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** A field of an effect or of an answer, as it is declared. */
export interface Field {
  readonly name: string
  readonly type: string
  /** The comment above it; empty where there is none. */
  readonly says: string
}

/** One effect of the table, as its source says. */
export interface DescribedEffect {
  readonly name: string
  readonly says: string
  readonly asks: readonly Field[]
  readonly answers: readonly { readonly name: string; readonly fields: readonly Field[] }[]
}

/** A type that fields are declared with. */
interface NamedType {
  readonly name: string
  readonly says: string
  /** Relative to `src/effects`. */
  readonly file: string
}

/** What the source of an effect table says beyond its values. */
export interface TableSource {
  /** The rules at the top of the file, one per line. */
  readonly rules: readonly string[]
  /** Effects under the comments that part them, both in the order of the file. */
  readonly sections: readonly { readonly heading: string; readonly effects: readonly DescribedEffect[] }[]
  /** By name. */
  readonly types: readonly NamedType[]
}

const tableFile = fileURLToPath(new URL('../../src/effects/table.ts', import.meta.url))
const compilerOptions: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  allowImportingTsExtensions: true,
  types: [],
}

/** Reads the effect table with the compiler. @throws Error naming an effect that has no comment, or stands under no section. */
export function readTable(file = tableFile): TableSource {
  const program = ts.createProgram([file], compilerOptions)
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  if (source === undefined) throw new Error(`${file}: cannot be read`)
  const types = new Map<string, NamedType>()
  const sections: { heading: string; effects: DescribedEffect[] }[] = []
  for (const property of tableIn(source).properties) {
    if (!ts.isPropertyAssignment(property)) throw new Error(`${property.getText()}: expected an effect`)
    const heading = headingAbove(property, source)
    if (heading !== undefined) sections.push({ heading, effects: [] })
    const section = sections.at(-1)
    if (section === undefined) throw new Error(`${property.name.getText()}: expected a comment above it that begins a section`)
    section.effects.push(describeEffect(property, checker, types))
  }
  return { rules: rulesOf(source), sections, types: [...types.values()].sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

function tableIn(source: ts.SourceFile): ts.ObjectLiteralExpression {
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (name.getText() === 'effectTable' && initializer !== undefined) return literalIn(initializer)
    }
  }
  throw new Error(`${source.fileName}: expected a const effectTable`)
}

/** The object inside `{ ... } as const satisfies ...`. */
function literalIn(expression: ts.Expression): ts.ObjectLiteralExpression {
  if (ts.isObjectLiteralExpression(expression)) return expression
  if (ts.isAsExpression(expression) || ts.isSatisfiesExpression(expression)) return literalIn(expression.expression)
  throw new Error(`${expression.getText()}: expected an object`)
}

function describeEffect(property: ts.PropertyAssignment, checker: ts.TypeChecker, types: Map<string, NamedType>): DescribedEffect {
  const name = property.name.getText()
  const says = commentOf(property)
  if (says === '') throw new Error(`${name}: expected a comment that says what it asks for`)
  const fieldsOf = (expression: ts.Expression): readonly Field[] => fieldsCarriedBy(expression, checker, types)
  return {
    name,
    says,
    asks: fieldsOf(valueOf(literalIn(property.initializer), 'asks')),
    answers: literalIn(valueOf(literalIn(property.initializer), 'answers')).properties.map((answer) => ({
      name: answer.name?.getText() ?? '',
      fields: ts.isPropertyAssignment(answer) ? fieldsOf(answer.initializer) : [],
    })),
  }
}

function valueOf(literal: ts.ObjectLiteralExpression, name: string): ts.Expression {
  const found = literal.properties.find((property) => property.name?.getText() === name)
  if (found === undefined || !ts.isPropertyAssignment(found)) throw new Error(`${literal.getText()}: expected ${name}`)
  return found.initializer
}

/** The fields of T, where the expression is a Shape<T>. */
function fieldsCarriedBy(expression: ts.Expression, checker: ts.TypeChecker, types: Map<string, NamedType>): readonly Field[] {
  const [carried] = checker.getTypeArguments(checker.getTypeAtLocation(expression) as ts.TypeReference)
  if (carried === undefined) throw new Error(`${expression.getText()}: expected what of<...>() makes`)
  return checker.getPropertiesOfType(carried).map((symbol) => {
    const declaration = symbol.valueDeclaration
    if (declaration === undefined || !ts.isPropertySignature(declaration) || declaration.type === undefined) {
      throw new Error(`${symbol.name}: expected a field with a type`)
    }
    nameTypes(declaration.type, checker, types)
    return { name: symbol.name, type: inOneLine(declaration.type.getText()), says: commentOf(declaration) }
  })
}

/** Notes the types of this project that a type is declared with. */
function nameTypes(node: ts.Node, checker: ts.TypeChecker, types: Map<string, NamedType>): void {
  if (ts.isTypeReferenceNode(node)) {
    const symbol = checker.getSymbolAtLocation(node.typeName)
    const declared = symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const [declaration] = declared?.declarations ?? []
    if (declaration !== undefined) {
      const file = basename(declaration.getSourceFile().fileName)
      types.set(node.typeName.getText(), { name: node.typeName.getText(), says: commentOf(declaration), file })
    }
  }
  ts.forEachChild(node, (child) => nameTypes(child, checker, types))
}

/** The text of the doc comment right above a declaration. */
function commentOf(node: ts.Node): string {
  const comment = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)?.comment
  return inOneLine(typeof comment === 'string' ? comment : '')
}

/** The line comment that parts an effect from those before. */
function headingAbove(node: ts.Node, source: ts.SourceFile): string | undefined {
  const above = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? []
  const line = above.find(({ kind }) => kind === ts.SyntaxKind.SingleLineCommentTrivia)
  return line === undefined ? undefined : source.text.slice(line.pos + 2, line.end).trim()
}

/** The items of the list in the comment that opens the file. */
function rulesOf(source: ts.SourceFile): readonly string[] {
  const [first] = ts.getLeadingCommentRanges(source.text, 0) ?? []
  const text = first === undefined ? '' : source.text.slice(first.pos, first.end).replaceAll(/^\s*(\/\*\*|\*\/|\*)/gm, '')
  return text.split(/^ - /m).slice(1).map(inOneLine)
}

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

import ts from 'typescript'

/** One mention of another module in a source file. `module` is null where it is computed and cannot be read. */
export interface Import {
  readonly module: string | null
  readonly line: number
}

/** Parses a file as TypeScript, with parent links. */
export const parse = (path: string, text: string): ts.SourceFile => ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)

/** Every module that a file names: imports and exports, types too, calls of import() and require(), import types, and reference comments. */
export function importsOf(file: ts.SourceFile): readonly Import[] {
  const found: Import[] = [...file.typeReferenceDirectives, ...file.referencedFiles].map((reference) => ({
    module: reference.fileName,
    line: lineOf(file, reference.pos),
  }))
  const visit = (node: ts.Node): void => {
    const named = moduleNamedBy(node)
    if (named !== undefined) found.push({ module: ts.isStringLiteralLike(named) ? named.text : null, line: lineOf(file, node.getStart()) })
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** The line of a position in a file, counted from 1. */
export const lineOf = (file: ts.SourceFile, position: number): number => file.getLineAndCharacterOfPosition(position).line + 1

function moduleNamedBy(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isExternalModuleReference(node)) return node.expression
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument
  if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name)) return node.name
  if (makesLoader(node) && !(ts.isCallExpression(node.parent) && node.parent.expression === node)) return node
  if (ts.isCallExpression(node) && isLoader(node.expression)) return node.arguments[0] ?? node
  return undefined
}

const isLoader = (callee: ts.Expression): boolean =>
  callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require') || makesLoader(callee)

/** `createRequire(…)`: what it returns loads modules; unless that is called on the spot, what it will load cannot be read. */
const makesLoader = (node: ts.Node): boolean =>
  ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'createRequire'

/** A node of the source, as far as the rules ask. */
interface SourceNode {
  readonly type: string
}

/** A place in the source, as Babel hands it to an ignorer. */
export interface SourcePath {
  readonly node: SourceNode
  readonly parent?: SourceNode
  traverse?(visitor: { TSAsExpression(cast: { node: { readonly expression: unknown }; replaceWith(node: unknown): void }): void }): void
}

export const strykerPlugins: readonly [
  { readonly kind: 'Ignore'; readonly name: 'sourceRules'; readonly value: { shouldIgnore(path: SourcePath): string | undefined } },
]

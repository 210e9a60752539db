/**
 * What is mutated beside Stryker's own rules.
 *
 * - Texts for people are not: an error's message, and what a description says. Tests that repeat them would only hold them in place.
 * - What stands before `as` is: Stryker leaves it out as if it were a type, and with it whole tables that end in `as const`.
 */
const textFields = new Set(['description', 'message', 'unanswered'])

const isText = ({ type }) => type === 'StringLiteral' || type === 'TemplateLiteral'
const isError = ({ type, callee }) => type === 'NewExpression' && callee.name === 'Error'
const isTextField = ({ type, key }) => type === 'ObjectProperty' && textFields.has(key.name)

/** Why the node is not mutated; undefined when it is. At the root of a file, it first takes every `as` off its expression. */
function shouldIgnore(path) {
  if (path.node.type === 'Program') {
    path.traverse({
      TSAsExpression(cast) {
        cast.replaceWith(cast.node.expression)
      },
    })
    return undefined
  }
  return isText(path.node) && (isError(path.parent) || isTextField(path.parent)) ? 'a text for people' : undefined
}

/** For Stryker, which asks for its plugins by this name. */
export const strykerPlugins = [{ kind: 'Ignore', name: 'sourceRules', value: { shouldIgnore } }]

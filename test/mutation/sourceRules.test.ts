import { describe, expect, it } from 'vitest'
import { type SourcePath, strykerPlugins } from './sourceRules.js'

const { shouldIgnore } = strykerPlugins[0].value

interface Node {
  readonly type: string
  readonly [field: string]: unknown
}
const text: Node = { type: 'StringLiteral', value: 'text' }
const template: Node = { type: 'TemplateLiteral' }
const field = (name: string): Node => ({ type: 'ObjectProperty', key: { type: 'Identifier', name } })
const call = (type: string, name: string): Node => ({ type, callee: { type: 'Identifier', name } })
const isLeftOut = (node: Node, parent: Node): boolean => shouldIgnore({ node, parent }) !== undefined

describe('what is mutated', () => {
  it.each([
    ['the message of an error', text, call('NewExpression', 'Error')],
    ['a message with values in it', template, call('NewExpression', 'Error')],
    ['the message of an error that is data', template, field('message')],
    ['what a state of the chart is for', text, field('description')],
    ['what waits when an effect is not answered', text, field('unanswered')],
  ])('is not %s', (_, node, parent) => {
    expect(isLeftOut(node, parent)).toBe(true)
  })

  it.each([
    ['the name of an error', text, field('name')],
    ['the type of an effect', text, field('type')],
    ['what other calls are given', text, call('CallExpression', 'Error')],
    ['what another object is made with', text, call('NewExpression', 'Set')],
    ['a message that is computed', { type: 'CallExpression', callee: {} }, field('message')],
  ])('is %s', (_, node, parent) => {
    expect(isLeftOut(node, parent)).toBe(false)
  })

  it('is also what stands before a type assertion', () => {
    const replaced: unknown[] = []
    const cast = { node: { expression: 'the table' }, replaceWith: (node: unknown) => void replaced.push(node) }
    const program: SourcePath = { node: { type: 'Program' }, traverse: (visitor) => visitor.TSAsExpression(cast) }

    expect(shouldIgnore(program)).toBeUndefined()
    expect(replaced).toEqual(['the table'])
  })
})

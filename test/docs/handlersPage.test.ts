import { readFileSync } from 'node:fs'
import * as processor from '@shardwise/processor'
import * as shardwise from 'shardwise'
import { describe, expect, it } from 'vitest'

const url = new URL('../../docs/handlers.md', import.meta.url)
const page = readFileSync(url, 'utf8')

describe('the page of handlers', () => {
  it('begins with a program that a worker understands, in five lines', async () => {
    const [, program = ''] = /^```js\n(.*?)^```$/ms.exec(page) ?? []
    expect(page.match(/^```js$/gm)).toHaveLength(1)
    const [imports = '', ...lines] = program.trimEnd().split('\n')
    expect(imports).toBe("import { eachRecord, Worker } from 'shardwise'")
    expect(lines.length + 1).toBeLessThanOrEqual(5)
    const made: string[] = []
    class IdleWorker extends shardwise.Worker {
      override run(): Promise<void> {
        made.push(this.workerId)
        return Promise.resolve()
      }
    }
    const AsyncFunction = (async () => undefined).constructor as new (...texts: string[]) => (...values: unknown[]) => Promise<void>
    await new AsyncFunction('eachRecord', 'Worker', lines.join('\n'))(shardwise.eachRecord, IdleWorker)
    expect(made).toHaveLength(1)
  })

  it('lists the functions that there are', () => {
    const listed = [...page.matchAll(/^\| `(\w+)\(handler/gm)].map(([, name]) => name)
    expect(listed).toHaveLength(4)
    for (const name of listed) expect(processor).toHaveProperty(name ?? '')
    for (const name of listed) expect(shardwise).toHaveProperty(name ?? '')
  })
})

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../docs/examples/', import.meta.url))

/** As much of an element as the page uses. */
class FakeElement {
  textContent: string | null = null
  onclick: (() => void) | null = null
  children: readonly FakeElement[] = []
  replaceChildren(...children: FakeElement[]): void {
    this.children = children
  }
}

let bundle: string
let html: string
beforeAll(async () => {
  const built = await build({
    entryPoints: [`${folder}browserPage.ts`],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    conditions: ['@shardwise/source'],
    logLevel: 'error',
  })
  bundle = built.outputFiles[0]?.text ?? ''
  html = await readFile(`${folder}browserPage.html`, 'utf8')
})

/** Opens the page in a world that has nothing but JavaScript and its elements. */
function openPage() {
  const elements = new Map([...html.matchAll(/ id="(\w+)"/g)].map(([, id = '']) => [id, new FakeElement()]))
  const document = { getElementById: (id: string) => elements.get(id), createElement: () => new FakeElement() }
  runInContext(bundle, createContext({ document }))
  const at = (id: string): FakeElement => elements.get(id) ?? new FakeElement()
  return {
    state: () => at('state').textContent,
    waiting: () => at('effects').children.map(({ textContent }) => textContent),
    buttons: () => at('buttons').children.map(({ textContent }) => textContent),
    transcript: () => at('transcript').textContent,
    click(label: string) {
      const button = at('buttons').children.find(({ textContent }) => textContent === label)
      if (button?.onclick === undefined || button.onclick === null) throw new Error(`no button ${label}`)
      button.onclick()
    },
  }
}

describe('browserPage.ts', () => {
  it('draws the first state, what it waits for, and a button for every answer', () => {
    const page = openPage()
    expect(page.state()).toBe('WAITING_ON_PARENT_SHARDS.checking')
    expect(page.waiting()).toEqual(['checkParentShards #1'])
    expect(page.buttons()).toEqual([
      'parentShardsCompleted #1',
      'parentShardsPending #1',
      'effectFailed #1',
      'shutdown REQUESTED',
      'shutdown SHARD_END',
      'shutdown LEASE_LOST',
    ])
  })

  it('goes through the states of a shard by clicks alone', () => {
    const page = openPage()
    const path = [
      'parentShardsCompleted #1',
      'checkpointRead #2',
      'shardOpened #3',
      'initialized #4',
      'recordsRead #5',
      'recordsProcessed #6',
    ]
    const states = [...path, 'shutdown REQUESTED'].map((label) => {
      page.click(label)
      return page.state()
    })
    expect(states).toEqual([
      'INITIALIZING.readingCheckpoint',
      'INITIALIZING.openingShard',
      'INITIALIZING.initializingProcessor',
      'PROCESSING.reading',
      'PROCESSING.processing',
      'PROCESSING.idling',
      'SHUTDOWN_REQUESTED.notifying',
    ])
    expect(page.transcript()).toContain('> recordsProcessed #6\n    ! dropBatch\n    ! startTimer #7\n> shutdown REQUESTED\n')
  })

  it('has no button that the machine does not understand', () => {
    const path = [
      'parentShardsCompleted #1',
      'checkpointRead #2',
      'shardOpened #3',
      'initialized #4',
      'recordsRead #5',
      'shutdown SHARD_END',
    ]
    const pageAt = (length: number) => {
      const page = openPage()
      for (const label of path.slice(0, length)) page.click(label)
      return page
    }
    for (let length = 0; length <= path.length; length += 1) {
      for (const label of pageAt(length).buttons()) {
        const page = pageAt(length)
        page.click(label ?? '')
        expect(page.transcript()).toContain(`> ${label}`)
      }
    }
  })

  it('ends when the lease is lost, and then waits for nothing', () => {
    const page = openPage()
    page.click('parentShardsPending #1')
    page.click('shutdown LEASE_LOST')
    expect([page.state(), page.waiting()]).toEqual(['SHUTDOWN_COMPLETE', []])
  })

  it('comes with a page that loads the bundle', () => {
    expect(html).toContain('<script type="module" src="browserPage.js"></script>')
  })
})

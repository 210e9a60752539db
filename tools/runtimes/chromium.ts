import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { loadInstalled, longestMs, printed, type Runtime } from './runtime.ts'

/** What is used of playwright-core. */
interface PlaywrightModule {
  readonly chromium: { launch(options: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser> }
}
interface Browser {
  newPage(): Promise<Page>
  close(): Promise<void>
}
interface Page {
  route(pattern: string, handler: (route: Route) => Promise<void>): Promise<void>
  on(event: 'pageerror', listener: (error: Error) => void): void
  goto(address: string, options: { readonly timeout: number }): Promise<unknown>
  evaluate(expression: string): Promise<unknown>
}
interface Route {
  request(): { url(): string }
  fulfill(answer: { readonly contentType: string; readonly body: string }): Promise<void>
  abort(): Promise<void>
}

const address = 'http://bundle.invalid/'

function executablePath(): string {
  const path = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  if (!existsSync(path))
    throw new Error(`no Chromium at ${path}: name one in the variable CHROMIUM, or leave it out with --without chromium`)
  return path
}

/** A page of Chromium that loads the bundle as any page loads a script. It is served from memory: no address is listened on, and none is reached. */
export const chromium: Runtime = {
  name: 'Chromium',
  visible: ['PERSISTENT', 'TEMPORARY', 'document', 'location', 'top', 'window'],
  version: async () => /[\d.]+/.exec(await printed(executablePath(), ['--version'], '/tmp'))?.[0] ?? '',
  run: async (bundlePath) => {
    const script = await readFile(bundlePath, 'utf8')
    const playwright = await loadInstalled<PlaywrightModule>('playwright-core')
    const browser = await playwright.chromium.launch({ executablePath: executablePath(), args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      const refused: string[] = []
      page.on('pageerror', (error) => refused.push(error.message))
      await page.route('**', async (route) => {
        const url = route.request().url()
        if (url === address) return route.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="bundle.js"></script>' })
        if (url === `${address}bundle.js`) return route.fulfill({ contentType: 'text/javascript', body: script })
        if (url !== `${address}favicon.ico`) refused.push(`the page asked for ${url}`)
        return route.abort()
      })
      await page.goto(address, { timeout: longestMs })
      if (refused.length > 0) throw new Error(refused.join('; '))
      return String(await page.evaluate('bundle.report'))
    } finally {
      await browser.close()
    }
  },
}

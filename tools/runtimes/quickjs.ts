import { readFile } from 'node:fs/promises'
import { installedVersion, loadInstalled, longestMs, type Runtime } from './runtime.ts'

/** What is used of quickjs-emscripten. */
interface QuickJsModule {
  getQuickJS(): Promise<{
    evalCode(code: string, options: { readonly shouldInterrupt: () => boolean; readonly memoryLimitBytes: number }): unknown
  }>
}

/** QuickJS, compiled to WebAssembly: an engine with the language and nothing else. */
export const quickjs: Runtime = {
  name: 'QuickJS',
  visible: [],
  version: () => installedVersion('quickjs-emscripten'),
  run: async (bundlePath) => {
    const quickJs = await (await loadInstalled<QuickJsModule>('quickjs-emscripten')).getQuickJS()
    const deadlineMs = Date.now() + longestMs
    const script = `${await readFile(bundlePath, 'utf8')}\nbundle.report`
    return String(quickJs.evalCode(script, { shouldInterrupt: () => Date.now() > deadlineMs, memoryLimitBytes: 512 * 1024 * 1024 }))
  },
}

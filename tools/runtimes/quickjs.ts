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
    const limits = { shouldInterrupt: () => Date.now() > deadlineMs, memoryLimitBytes: 512 * 1024 * 1024 }
    try {
      return String(quickJs.evalCode(script, limits))
    } catch (error) {
      // What was thrown in QuickJS comes out as the fields of an error.
      const { name, message } = error as Error
      throw new Error(`${name}: ${message}`, { cause: error })
    }
  },
}

import { readFile } from 'node:fs/promises'
import { createContext, runInContext } from 'node:vm'
import { longestMs, type Runtime } from './runtime.ts'

/** A context of `node:vm` that was given nothing, and from which the clocks and dice that come with the language are taken for good. */
export const vm: Runtime = {
  name: 'node:vm',
  visible: [],
  version: () => Promise.resolve(`Node ${process.versions.node}`),
  run: async (bundlePath) => {
    const context = createContext(Object.create(null) as object, { codeGeneration: { strings: false, wasm: false } })
    const script = `${await readFile(bundlePath, 'utf8')}\nbundle.report`
    runInContext(
      'for (const name of ["Date", "Intl", "Temporal", "Atomics", "console"]) delete globalThis[name]; delete Math.random',
      context,
    )
    return String(runInContext(script, context, { timeout: longestMs }))
  },
}

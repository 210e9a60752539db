import { dirname } from 'node:path'
import { asModule, installed, printed, type Runtime } from './runtime.ts'

/** Node, as one of its programs. */
export function nodeAt(name: string, program: string): Runtime {
  return {
    name,
    visible: [],
    version: async () => (await printed(program, ['--version'])).replace('v', ''),
    run: async (bundlePath) => printed(program, [await asModule(bundlePath, 'node', 'console.log(bundle.report)')], dirname(bundlePath)),
  }
}

/** Every line of Node that is maintained, the oldest that the packages allow first. */
export const nodes: readonly Runtime[] = [20, 22, 24, 26].map((major) => nodeAt(`Node ${major}`, installed(`node${major}/bin/node`)))

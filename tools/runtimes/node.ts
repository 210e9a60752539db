import { dirname } from 'node:path'
import { asModule, installed, printed, type Runtime } from './runtime.ts'

function node(major: number): Runtime {
  const program = installed(`node${major}/bin/node`)
  return {
    name: `Node ${major}`,
    visible: [],
    version: async () => (await printed(program, ['--version'])).replace('v', ''),
    run: async (bundlePath) => printed(program, [await asModule(bundlePath, 'node', 'console.log(bundle.report)')], dirname(bundlePath)),
  }
}

/** Every line of Node that is maintained, the oldest that the packages allow first. */
export const nodes: readonly Runtime[] = [20, 22, 24, 26].map(node)

import { dirname } from 'node:path'
import { asModule, installed, printed, type Runtime } from './runtime.ts'

const program = installed('@oven/bun-linux-x64/bin/bun')

/** Bun, told to install nothing. */
export const bun: Runtime = {
  name: 'Bun',
  visible: ['Bun'],
  version: () => printed(program, ['--version']),
  run: async (bundlePath) =>
    printed(program, ['run', '--no-install', await asModule(bundlePath, 'bun', 'console.log(bundle.report)')], dirname(bundlePath)),
}

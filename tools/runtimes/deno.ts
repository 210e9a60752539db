import { dirname } from 'node:path'
import { asModule, installed, printed, type Runtime } from './runtime.ts'

const program = installed('@deno/linux-x64-glibc/deno')

/** Deno, without any permission. */
export const deno: Runtime = {
  name: 'Deno',
  visible: [],
  version: async () => (await printed(program, ['--version'])).split(' ')[1] ?? '',
  run: async (bundlePath) => {
    const module = await asModule(bundlePath, 'deno', 'console.log(bundle.report)')
    return printed(program, ['run', '--no-prompt', '--no-remote', '--no-npm', '--no-config', module], dirname(bundlePath))
  },
}

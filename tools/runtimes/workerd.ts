import { writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { asModule, installed, installedVersion, printed, type Runtime } from './runtime.ts'

const program = installed('@cloudflare/workerd-linux-64/bin/workerd')

/** The bundle as a worker whose network allows no address, and that listens on none: its test prints the report. */
const configurationOf = (module: string): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "worker", esModule = embed "${basename(module)}")], compatibilityDate = "2026-01-01")),
    (name = "internet", network = (allow = [])),
  ],
);
`

/** The runtime of Cloudflare Workers. */
export const workerd: Runtime = {
  name: 'workerd',
  visible: ['Symbol(cloudflare:internal-class)'],
  version: () => installedVersion('@cloudflare/workerd-linux-64'),
  run: async (bundlePath) => {
    const module = await asModule(bundlePath, 'workerd', 'export default { test() { console.log(bundle.report) } }')
    const configuration = `${module}.capnp`
    await writeFile(configuration, configurationOf(module))
    return printed(program, ['test', configuration], dirname(bundlePath))
  },
}

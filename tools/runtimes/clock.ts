/** Takes hold of the runtime's own clock before the world is withheld: for the bundles that measure, which are not those that are compared. */
interface Clocks {
  readonly process?: { cpuUsage(): { readonly user: number; readonly system: number } }
  readonly Deno?: object
  readonly performance?: { now(): number }
  readonly Date?: { now(): number }
}
const { process, Deno, performance, Date } = globalThis as Clocks

/** That of Deno asks the global `Deno`, which is withheld by then. */
const cpuUsage = Deno === undefined ? process?.cpuUsage.bind(process) : undefined

function cpuMs(): number {
  const { user, system } = cpuUsage?.() ?? { user: 0, system: 0 }
  return (user + system) / 1_000
}

/** Milliseconds: of CPU where the runtime counts them, or else those that have passed; null where it has no clock. */
export const now: (() => number) | null =
  cpuUsage === undefined ? (performance?.now.bind(performance) ?? Date?.now.bind(Date) ?? null) : cpuMs

/** Takes hold of the runtime's own clock before the world is withheld: for the bundles that measure, which are not those that are compared. */
const { performance, Date } = globalThis as { performance?: { now(): number }; Date?: { now(): number } }

/** The milliseconds that the runtime says have passed; null where it has no clock. */
export const now: (() => number) | null = performance?.now.bind(performance) ?? Date?.now.bind(Date) ?? null

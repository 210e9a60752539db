/** One case of a contract: `run` rejects with both values when the promise in `name` is broken. Cases share nothing, so any runner may take them in any order. */
export interface ContractCase {
  readonly name: string
  run(): Promise<void>
}

/** Turns bodies, named by sentences, into cases; each gets a fixture of its own, which is closed whatever happens. */
export function casesOver<Fixture extends { close(): Promise<void> }>(
  make: () => Promise<Fixture>,
  bodies: Readonly<Record<string, (fixture: Fixture) => Promise<void>>>,
): readonly ContractCase[] {
  return Object.entries(bodies).map(([name, body]) => ({
    name,
    async run() {
      const fixture = await make()
      try {
        await body(fixture)
      } finally {
        await fixture.close()
      }
    },
  }))
}

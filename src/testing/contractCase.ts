import { unexpected } from '@shardwise/effects'
import { aFunction, expectMembers } from './rules.ts'

/** One case of a contract: `run` rejects with both values when the promise in `name` is broken. Cases share nothing, so any runner may take them in any order. */
export interface ContractCase {
  readonly name: string
  run(): Promise<void>
}

/** Refuses a contract that is made without one of its functions. @throws Error that names it. */
export function expectFunction(name: string, given: unknown, what: string): void {
  if (typeof given !== 'function') throw unexpected(name, `a function ${what}`, given)
}

/**
 * Turns bodies, named by sentences, into cases; each gets a fixture of its own, which is closed whatever happens. A case that fails in its body and in closing
 * rejects with an AggregateError of both. `expectFixture` throws where members are missing that the bodies need.
 */
export function casesOver<Fixture extends { close(): Promise<void> }>(
  make: () => Promise<Fixture>,
  bodies: Readonly<Record<string, (fixture: Fixture) => Promise<void>>>,
  expectFixture: (fixture: object) => void,
): readonly ContractCase[] {
  return Object.entries(bodies).map(([name, body]) => ({
    name,
    async run() {
      const fixture = await make()
      expectMembers('fixture', fixture, { close: aFunction })
      const inBody = await failureOf(async () => {
        expectFixture(fixture)
        await body(fixture)
      })
      const inClosing = await failureOf(() => fixture.close())
      if (inBody !== null && inClosing !== null) throw bothOf(inBody.reason, inClosing.reason)
      const failure = inBody ?? inClosing
      if (failure !== null) throw failure.reason
    },
  }))
}

/** What a call rejects with, which may be anything; null where it does not. */
async function failureOf(call: () => Promise<void>): Promise<{ readonly reason: unknown } | null> {
  try {
    await call()
    return null
  } catch (reason) {
    return { reason }
  }
}

/** Runners show the message and the cause: the broken promise comes first. */
const bothOf = (inBody: unknown, inClosing: unknown): Error =>
  new AggregateError([inBody, inClosing], `${textOf(inBody)}\nfixture.close failed as well: ${textOf(inClosing)}`, { cause: inBody })

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason))

/**
 * The share of the random cases of a property that the suite takes: two fifths of what the property is written for. `SHARDWISE_RANDOM=1` takes them all, and more
 * takes more; `npm run prove` goes on for as long as it is told.
 */
const share = Number(process.env['SHARDWISE_RANDOM'] ?? 0.4)
if (!(share > 0)) throw new Error(`SHARDWISE_RANDOM: expected a number above 0, got ${JSON.stringify(process.env['SHARDWISE_RANDOM'])}`)

/** How many cases to take of those that a property is written for, at least one. */
export const randomRuns = (written: number): number => Math.ceil(written * share)

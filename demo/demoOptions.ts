import { parseArgs } from 'node:util'

/** What can be set for a run. */
export interface DemoOptions {
  /** How many orders are put. */
  readonly orders: number
  /** How many of them a second. */
  readonly rate: number
  /** How many workers begin; more than one are processes of their own. */
  readonly workers: number
}

/** kinesis-local slows down with the square of what a shard holds. */
const mostOrders = 3_000

export const usage = `npm start -- [--orders <n>] [--rate <n>] [--workers <n>]
  --orders <n>  orders to put, 20 to ${mostOrders} (default 900)
  --rate <n>    orders a second, 1 to 1000 (default 75)
  --workers <n> workers to begin with, 1 to 8 (default 1); of several, each is a process of its own, one is killed, and one more joins`

/** null when help was asked for. @throws Error naming the option and what was expected. */
export function readDemoOptions(args: readonly string[]): DemoOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      orders: { type: 'string', default: '900' },
      rate: { type: 'string', default: '75' },
      workers: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return null
  return {
    orders: wholeNumber('--orders', values.orders, 20, mostOrders),
    rate: wholeNumber('--rate', values.rate, 1, 1_000),
    workers: wholeNumber('--workers', values.workers, 1, 8),
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new Error(`${name}: expected a whole number from ${least} to ${most}, got ${JSON.stringify(text)}`)
  }
  return number
}

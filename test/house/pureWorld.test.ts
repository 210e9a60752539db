import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

describe('the world that the pure packages are tested in', () => {
  it.each<[string, () => unknown]>([
    ['Date.now', () => Date.now()],
    ['new Date', () => new Date()],
    ['Date', () => Date()],
    ['Math.random', () => Math.random()],
    ['performance.now', () => performance.now()],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['setTimeout', () => setTimeout(() => undefined, 0)],
    ['setInterval', () => setInterval(() => undefined, 1)],
    ['setImmediate', () => setImmediate(() => undefined)],
    ['console.log', () => console.log('heard')],
    ['console.error', () => console.error('heard')],
    ['fetch', () => fetch('http://127.0.0.1')],
  ])('has no %s', (name, call) => {
    expect(call).toThrow(`${name}: the pure packages have no clock, dice, timers, log or network`)
  })

  it('withholds them from callbacks that run after the test body, too', async () => {
    await expect(Promise.resolve().then(() => Date.now())).rejects.toThrow('Date.now: the pure packages')
  })

  it('keeps dates of a given instant', () => {
    const instant = new Date(1_700_000_000_000)

    expect(instant.toISOString()).toBe('2023-11-14T22:13:20.000Z')
    expect(instant).toBeInstanceOf(Date)
  })

  it('leaves fast-check its seeds: runs without a seed differ', () => {
    const drawn = () => fc.sample(fc.bigInt(), 5)

    expect(drawn()).not.toEqual(drawn())
  })

  it('leaves fast-check its reports: a failing property names seed and counterexample', () => {
    const failing = () => fc.assert(fc.property(fc.nat(), (n) => n < 100))

    expect(failing).toThrow(/seed: -?\d+[\s\S]*Counterexample: \[100\]/)
  })
})

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { drive, fired, settle, type TestEffect, type TestEvent, timer, told } from './listeningMachine.ts'

interface Plan {
  readonly how: 'sync' | 'async' | 'throw' | 'reject'
  /** How many effects the answer gives rise to. */
  readonly next: number
}

const plans = fc.array(fc.record({ how: fc.constantFrom('sync', 'async', 'async', 'throw', 'reject'), next: fc.nat({ max: 3 }) }), {
  minLength: 1,
  maxLength: 12,
  size: 'max',
}) as fc.Arbitrary<Plan[]>

it('hears each answer exactly once, one at a time and in the order of arrival, however answers and events race', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plans, fc.array(fc.string({ maxLength: 3 }), { maxLength: 5 }), async (scheduler, planned, words) => {
      const arrived: string[] = []
      const begun: number[] = []
      let stepping = false
      let made = 0
      const ask = (count: number): TestEffect[] =>
        Array.from({ length: Math.min(count, planned.length - made) }, () => {
          made += 1
          return timer(made)
        })
      const planOf = (id: number): Plan => planned[id - 1] ?? { how: 'sync', next: 0 }
      const name = (event: TestEvent): string => (event.type === 'told' ? event.what : `#${event.id}`)

      const driver = drive({
        start: ask(2),
        react: (event) => {
          expect(stepping).toBe(false)
          stepping = true
          const effects = event.type === 'told' ? ask(1) : ask(planOf(event.id).next)
          stepping = false
          return effects
        },
        handlers: {
          startTimer: ({ id }) => {
            expect(stepping).toBe(false)
            begun.push(id)
            const { how } = planOf(id)
            if (how === 'sync' || how === 'throw') {
              arrived.push(`#${id}`)
              if (how === 'throw') throw new Error('no')
              return fired(id)
            }
            return scheduler.schedule(Promise.resolve(), `#${id}`).then(() => {
              arrived.push(`#${id}`)
              if (how === 'reject') throw new Error('no')
              return fired(id)
            })
          },
        },
      })
      for (const [index, word] of words.entries()) {
        void scheduler.schedule(Promise.resolve(), word).then(() => {
          arrived.push(`${index}${word}`)
          driver.send(told(`${index}${word}`))
        })
      }
      await scheduler.waitIdle()
      await settle()

      expect(begun).toEqual(Array.from({ length: made }, (_, index) => index + 1))
      expect(driver.snapshot.map(name)).toEqual(arrived)
      for (const event of driver.snapshot) {
        if (event.type === 'told') continue
        const fails = ['throw', 'reject'].includes(planOf(event.id).how)
        expect(event.type).toBe(fails ? 'effectFailed' : 'timerFired')
      }
    }),
  )
})

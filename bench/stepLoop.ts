import { Loop, steppers } from './stepCost.ts'

/** Prints what a step costs, nanoseconds of CPU: of the stepper that the arguments name, with so many consumers, over so many steps. */
const [name = '', consumers = '', steps = ''] = process.argv.slice(2)
const stepper = steppers[name]
if (stepper === undefined) throw new Error(`stepper: expected one of ${Object.keys(steppers).join(', ')}, got ${name}`)
const loop = new Loop(stepper, Number(consumers))
// Once to warm the code up.
loop.run(Number(steps) / 2)
console.log(loop.run(Number(steps)))

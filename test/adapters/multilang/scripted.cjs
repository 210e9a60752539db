'use strict'
// A child that follows a script: for each line that it reads, the JavaScript in the next argument runs, and the last argument from then on.
const { createInterface } = require('node:readline')

const say = (message) => process.stdout.write(`\n${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
const done = (responseFor) => say({ action: 'status', responseFor })
const checkpoint = (sequenceNumber = null) => say({ action: 'checkpoint', sequenceNumber })
const err = (text) => process.stderr.write(text)
const script = process.argv.slice(2)
const last = script[script.length - 1]
const compile = (code) =>
  // oxlint-disable-next-line typescript/no-implied-eval -- the scripts are those of the tests
  new Function('message', 'say', 'done', 'checkpoint', 'err', 'require', code)

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line)
  const step = compile(script.length > 0 ? script.shift() : last)
  step(message, say, done, checkpoint, err, require)
})

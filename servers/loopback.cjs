// Preloaded into kinesis-local: binds to the loopback interface and to a free port whatever the program asks for, tells the parent which port that became,
// and ends the process when the parent is gone.
const net = require('node:net')

const { listen } = net.Server.prototype
net.Server.prototype.listen = function listenOnLoopback(...args) {
  const [first] = args
  const requested = Number(typeof first === 'object' && first !== null ? first.port : first)
  const onListening = args.findLast((arg) => typeof arg === 'function')
  this.once('listening', () => process.send?.({ requested, port: this.address().port }))
  return listen.call(this, { port: 0, host: '127.0.0.1' }, onListening)
}

process.on('disconnect', () => process.exit(1))

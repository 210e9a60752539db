/**
 * A stream of orders, from end to end on this machine: a producer puts them, a worker consumes them, a shard is split half way and two are merged later. In
 * the end every order is accounted for by its id. The exit code is 0 only if none was lost.
 */
import { onStopSignals } from '../src/worker/stopSignals.ts'
import { readDemoOptions, usage } from './demoOptions.ts'
import { runDemo } from './runDemo.ts'

// Kinesis and DynamoDB are local here: which Node the SDK will want next year is beside the point.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'

const interruption = new AbortController()
const stopListening = onStopSignals({
  stop(signal) {
    console.log(`${signal}: stopping in order; once more to end at once`)
    interruption.abort()
  },
  force: () => Promise.resolve(),
})
try {
  const options = readDemoOptions(process.argv.slice(2))
  if (options === null) console.log(usage)
  else if (!(await runDemo(options, interruption.signal))) process.exitCode = 1
} catch (error) {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  process.exitCode = 1
} finally {
  stopListening()
}

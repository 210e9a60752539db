/** The command line from its sources: what `bin/shardwise.js` does with the build. */
import { runCommandLine } from '../../src/worker/cli.ts'

await runCommandLine(process.argv, 'from sources')

import { Command } from 'commander'
import { declareMultilangOptions, declareOptions, inFlags, readMultilangOptions, readOptions } from './commandLineOptions.ts'
import { inOneLine } from './inOneLine.ts'
import { loadProcessorModule } from './processorModule.ts'

const examples = `
Examples:
  $ shardwise consume --stream orders --application billing --processor ./processor.mjs
  $ shardwise consume --stream arn:aws:kinesis:eu-west-1:123456789012:stream/orders --application audit \\
      --processor ./processor.mjs --position AT_TIMESTAMP=2026-01-31T12:00:00Z --table audit-leases
  $ shardwise consume --stream orders --application local --processor ./processor.mjs \\
      --kinesis-endpoint http://127.0.0.1:4568 --dynamodb-endpoint http://127.0.0.1:8000 --region us-east-1

The processor module exports, as default or createProcessor, a class or a function (shardId) => processor.
A processor has initialize, processRecords, leaseLost, shardEnded and, if it likes, shutdownRequested.
Ctrl-C or SIGTERM stops in order: processors may checkpoint, then the leases are given up. A second one does not wait for processors.
Credentials come from the AWS default chain. The exit code is 0 after a stop in order, 1 after an error, 130 or 143 when forced.`

/** The command line: runs it to its end, and ends the process with its exit code. `args` are those of `process.argv`. */
export async function runCommandLine(args: readonly string[], version: string): Promise<never> {
  // The SDK reminds of its next oldest version of Node in every process; that is for those who install it, and not for this output.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const program = new Command('shardwise')
    .version(version)
    .description('Consumes Amazon Kinesis streams, without a JVM.')
    .showHelpAfterError('(--help shows what there is)')
  declareOptions(program.command('consume'))
    .description('Consume a stream until SIGINT or SIGTERM.')
    .addHelpText('after', examples)
    .action(async (_options, command: Command) => {
      const said = readOptions(command)
      const processor = await loadProcessorModule(said.processorFile)
      // Late, so that --help, misspelled options and modules that do not load need not wait for the AWS SDK.
      const { consume } = await import('./consume.ts')
      await consume(said, processor)
    })
  declareMultilangOptions(program.command('multilang'))
    .description('Run record processors written for aws-kcl or amazon_kclpy, as the MultiLangDaemon does, until SIGINT or SIGTERM.')
    .action(async (_file, _options, command: Command) => {
      const said = readMultilangOptions(command)
      const { consumeMultilang } = await import('./multilang.ts')
      await consumeMultilang(said)
    })
  try {
    await program.parseAsync(args)
  } catch (error) {
    process.stderr.write(`${inOneLine(described(error))}\n`)
    return process.exit(1)
  }
  // A record processor's module may hold sockets or timers of its own.
  return process.exit(0)
}

function described(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${inFlags(error.message)}` : `Error: ${String(error)}`
}

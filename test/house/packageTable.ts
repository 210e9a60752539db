/** What a package is allowed: the packages it may import, and whether it may use Node. */
export interface PackageRule {
  readonly name: string
  /** Modules by their whole name: of a package named with a path, that path alone. */
  readonly imports: readonly string[]
  readonly peers: readonly string[]
  readonly node: boolean
  /** The file that loads a module of the user, whose name only the user knows. */
  readonly loader?: string
}

const everyAdapter = ['@shardwise/kinesis', '@shardwise/dynamodb', '@shardwise/memory', '@shardwise/processor', '@shardwise/multilang']
const commandLine = ['commander', 'listr2', 'picocolors']

/** The dependencies of the architecture, by folder. Imports, manifests and lockfile are held to it. */
export const packageTable: Readonly<Record<string, PackageRule>> = {
  'src/effects': { name: '@shardwise/effects', imports: [], peers: [], node: false },
  'src/machine': { name: '@shardwise/machine', imports: ['xstate', '@shardwise/effects'], peers: [], node: false },
  'src/adapters/kinesis': {
    name: '@shardwise/kinesis',
    imports: ['@shardwise/effects', '@bufbuild/protobuf/wire', '@smithy/node-http-handler'],
    peers: ['@aws-sdk/client-kinesis'],
    node: true,
  },
  'src/adapters/dynamodb': {
    name: '@shardwise/dynamodb',
    imports: ['@shardwise/effects'],
    peers: ['@aws-sdk/client-dynamodb'],
    node: true,
  },
  'src/adapters/memory': { name: '@shardwise/memory', imports: ['@shardwise/effects'], peers: [], node: false },
  'src/adapters/processor': { name: '@shardwise/processor', imports: ['@shardwise/effects'], peers: [], node: false },
  'src/adapters/multilang': { name: '@shardwise/multilang', imports: ['@shardwise/effects'], peers: [], node: true },
  'src/worker': {
    name: 'shardwise',
    imports: [
      '@shardwise/effects',
      '@shardwise/machine',
      ...everyAdapter,
      '@aws-sdk/client-kinesis',
      '@aws-sdk/client-dynamodb',
      '@smithy/node-http-handler',
      ...commandLine,
    ],
    peers: [],
    node: true,
    loader: 'src/worker/processorModule.ts',
  },
  'src/testing': {
    name: '@shardwise/testing',
    imports: ['@shardwise/effects', '@shardwise/machine', '@shardwise/memory', '@shardwise/processor', '@xstate/graph', 'xstate'],
    peers: ['fast-check'],
    node: false,
  },
}

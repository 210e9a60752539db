/** A way to consume the stream of the pages server. */
export interface Contestant {
  /** As the table shows it. */
  readonly name: string
  /** A program in this folder that hands its consumer to `measure`. */
  readonly program: string
  readonly client: 'kept connections' | 'defaults' | 'createKinesisClient'
}

/** Contestants who consume the same stream; ratios are taken to the first. */
export interface Race {
  readonly title: string
  /** The endpoint of the server; `far` is that with TLS, a round trip away. */
  readonly endpoint: 'plain' | 'tls' | 'far'
  /** 4 when left out. */
  readonly shards?: number
  /** As many as 100,000 records need when left out. */
  readonly pagesPerShard?: number
  readonly contestants: readonly Contestant[]
}

/** What lies between the server and `far`. */
export const roundTripMs = 20

const asTheSdkComes: readonly Contestant[] = [
  { name: "AWS SDK loop, the SDK's defaults (HTTP/2)", program: 'sdkLoop.ts', client: 'defaults' },
  { name: 'the same loop, createKinesisClient', program: 'sdkLoop.ts', client: 'createKinesisClient' },
]

/** In the order in which they are run. */
export const races: readonly Race[] = [
  {
    title: 'HTTP',
    endpoint: 'plain',
    contestants: [
      { name: 'AWS SDK loop, HTTP/1.1 keep-alive', program: 'sdkLoop.ts', client: 'kept connections' },
      { name: 'the same loop, createKinesisClient', program: 'sdkLoop.ts', client: 'createKinesisClient' },
      { name: 'Shardwise worker, the client of the first loop', program: 'shardwiseLoop.ts', client: 'kept connections' },
      { name: 'Shardwise worker, createKinesisClient', program: 'shardwiseLoop.ts', client: 'createKinesisClient' },
    ],
  },
  { title: 'HTTPS', endpoint: 'tls', contestants: asTheSdkComes },
  // How fast one shard can be read at that distance; a call takes many round trips by default, so few pages say as much as many would.
  { title: `HTTPS, ${roundTripMs} ms of round trip added`, endpoint: 'far', shards: 1, pagesPerShard: 10, contestants: asTheSdkComes },
]

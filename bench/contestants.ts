/** A way to consume the stream of the pages server. */
export interface Contestant {
  /** As the table shows it. */
  readonly name: string
  /** A program in this folder that hands its consumer to `measure`. */
  readonly program: string
  /** The listener of the server that it is pointed to. */
  readonly transport: 'http1' | 'http2'
}

/** Everyone who takes part; ratios are taken to the first. */
export const contestants: readonly Contestant[] = [
  { name: 'AWS SDK loop, HTTP/1.1 keep-alive', program: 'sdkLoop.ts', transport: 'http1' },
  { name: 'Shardwise worker, the same client', program: 'shardwiseLoop.ts', transport: 'http1' },
  { name: 'AWS SDK loop, default handler (HTTP/2)', program: 'sdkLoop.ts', transport: 'http2' },
]

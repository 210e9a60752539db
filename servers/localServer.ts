/** A server on the loopback interface. `stop` resolves when its port is free again. */
export interface LocalServer {
  /** Such as `http://127.0.0.1:4568`. */
  readonly endpoint: string
  stop(): Promise<void>
}

import type { ErrorFacts, ExtendedSequenceNumber, ShardId } from '@shardwise/effects'
import { checkpointPosition } from './checkpointPosition.ts'
import { kclError } from './kclError.ts'

/**
 * Stores how far a shard has been processed. Each call resolves when the position is stored, and rejects with an Error whose `name` is the KCL's:
 * ShutdownException (the lease is gone or the consumer has ended), ThrottlingException, InvalidStateException, KinesisClientLibDependencyException, or
 * IllegalArgumentException (malformed, or not within what was delivered). It may be kept and used between callbacks.
 */
export interface Checkpointer {
  /** Stores the end of what was delivered; at the end of the shard, the end itself. */
  checkpoint(): Promise<void>
  /** Stores a position inside what was delivered; `subSequenceNumber` is the index in a KPL aggregate. */
  checkpoint(sequenceNumber: string, subSequenceNumber?: number): Promise<void>
  /** Stores the position of a record, with its sub-sequence number. */
  checkpoint(record: ExtendedSequenceNumber): Promise<void>
}

/** A processor asks for a checkpoint; the machine answers each `request` with one `settleCheckpoint`. A null position is the end of what was delivered. */
export interface CheckpointRequested {
  readonly type: 'checkpointRequested'
  readonly request: string
  readonly position: ExtendedSequenceNumber | null
}

/** A processor has its shard paused or resumed. */
export interface PauseRequested {
  readonly type: 'pause' | 'resume'
}

interface Waiting {
  resolve(): void
  reject(error: Error): void
}

/** The checkpointer of one shard consumer: turns calls into events, and settlements into outcomes of calls. */
export class ShardCheckpointer implements Checkpointer {
  readonly #shardId: ShardId
  readonly #send: (event: CheckpointRequested) => void
  // Made on first use: most of the consumers of a process never have a request waiting.
  #waiting: Map<string, Waiting> | undefined
  #made = 0
  #closed = false

  constructor(shardId: ShardId, send: (event: CheckpointRequested) => void) {
    this.#shardId = shardId
    this.#send = send
  }

  checkpoint(...args: readonly unknown[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#ended()
      const position = checkpointPosition(args)
      this.#made += 1
      const request = `r${this.#made}`
      this.#waiting ??= new Map()
      // Before the event: the machine may settle the request while it is being sent.
      this.#waiting.set(request, { resolve, reject })
      this.#send({ type: 'checkpointRequested', request, position })
    })
  }

  /** Ends a request; one that is not waiting is ignored. */
  settle(request: string, error: ErrorFacts | null): void {
    const waiting = this.#waiting?.get(request)
    if (waiting === undefined) return
    this.#waiting?.delete(request)
    if (error === null) waiting.resolve()
    else waiting.reject(kclError(error))
  }

  /** Ends every request that waits, and every later one, with ShutdownException. */
  close(): void {
    this.#closed = true
    const waiting = this.#waiting
    this.#waiting = undefined
    for (const { reject } of waiting?.values() ?? []) reject(this.#ended())
  }

  #ended(): Error {
    return kclError({ name: 'ShutdownException', message: `${this.#shardId}: the consumer of the shard has ended` })
  }
}

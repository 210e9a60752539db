import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchEventLoop } from '../../src/worker/eventLoopWatch.ts'
import { aLogger } from './workerSetting.ts'

describe('the watch over the event loop', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  it('warns when it was blocked for longer than half of the failover time, once for each time', () => {
    let now = 0
    const logger = aLogger()
    const stop = watchEventLoop(1_000, logger, () => now)
    const fireAt = (ms: number): void => {
      now = ms
      vi.advanceTimersByTime(250)
    }
    fireAt(250)
    fireAt(1_000)
    expect(logger.lines).toEqual([])

    fireAt(1_751)
    expect(logger.lines).toEqual([expect.stringMatching(/^warn worker: the event loop was blocked for 501 ms: .*1000 ms, all are lost$/)])
    fireAt(2_001)
    expect(logger.lines).toHaveLength(1)

    stop()
    fireAt(9_000)
    expect(logger.lines).toHaveLength(1)
  })
})

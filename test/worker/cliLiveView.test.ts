import { describe, expect, it } from 'vitest'
import { showLive } from '../../src/worker/liveView.ts'
import { progressLine, progressTable } from '../../src/worker/progressTable.ts'
import type { ShardProgress } from '../../src/worker/shardProgress.ts'

const aShard = (changes: Partial<ShardProgress> = {}): ShardProgress => ({
  shardId: 'shardId-000000000000',
  state: 'PROCESSING',
  path: ['PROCESSING'],
  delivered: 7,
  millisBehindLatest: 1_500,
  checkpoint: { sequenceNumber: '49590338271490256608559692538361571095921575989136588898', subSequenceNumber: 0 },
  outcome: null,
  ...changes,
})

/** A terminal that keeps what is written to it. */
function aTerminal(columns = 100, rows = 20) {
  let screen = ''
  const stream = {
    columns,
    rows,
    isTTY: true,
    write(text: string) {
      screen += text
      return true
    },
  } as unknown as NodeJS.WriteStream
  return { stream, screen: () => screen }
}

describe('the live view', () => {
  it('leaves its last picture, and what was written meanwhile above it, to the last letter', () => {
    const { stream, screen } = aTerminal()
    const progress = {
      observe: () => undefined,
      phase: 'running',
      shards: [aShard()],
      onEntered: () => undefined,
      leasesGivenUp: () => Promise.resolve(),
    }
    const view = showLive(progress, () => 'billing on orders', { stdout: stream, stderr: stream })
    stream.write('a line\nand half of one')
    view.close()
    stream.write('after\n')

    const [, last = ''] = screen().split('\u001b[0J')
    expect(last).toMatch(/^a line\nand half of one\n. billing on orders\n/)
    expect(last).toContain('PROCESSING')
    expect(screen()).toContain('\u001b[3A\r\u001b[0J')
    expect(screen().endsWith('\u001b[?25hafter\n')).toBe(true)
  })
})

describe('the table of shards', () => {
  it('shows state, lag, delivered records and checkpoint of each', () => {
    expect(
      progressTable(
        [aShard(), aShard({ shardId: 'shardId-000000000001', state: 'INITIALIZING', millisBehindLatest: null, checkpoint: null })],
        { columns: 100, rows: 20, coloured: false },
      ),
    ).toEqual([
      'SHARD                 STATE         BEHIND  DELIVERED  CHECKPOINT',
      'shardId-000000000000  PROCESSING     1.5 s          7  …989136588898',
      'shardId-000000000001  INITIALIZING       -          7  -',
    ])
    expect(progressLine(aShard())).toBe('shardId-000000000000 PROCESSING, 1.5 s behind, 7 delivered, checkpoint …989136588898')
  })

  it('never outgrows the terminal: shards that have ended go first', () => {
    const shards = ['a', 'b', 'c', 'd'].map((shardId) => aShard({ shardId, outcome: shardId === 'b' ? 'finished' : null }))
    const lines = progressTable(shards, { columns: 20, rows: 5, coloured: false })

    expect(lines.map((line) => line.split(' ')[0])).toEqual(['SHARD', 'a', 'c', 'd', 'and'])
    expect(lines.every((line) => line.length <= 20)).toBe(true)
  })
})

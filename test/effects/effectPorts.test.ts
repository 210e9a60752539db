import { type EffectType, effectTable, isAnswered } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'

const types = Object.keys(effectTable) as EffectType[]
const onPort = (port: string) => types.filter((type) => effectTable[type].port === port)

describe('the ports', () => {
  it.each([
    ['the lease store', 'leaseStore', ['checkParentShards', 'readCheckpoint', 'writeCheckpoint', 'createChildLeases']],
    [
      'the lease table',
      'leaseTable',
      [
        'ensureTable',
        'listLeases',
        'createLease',
        'acquireLease',
        'requestHandoff',
        'renewLease',
        'releaseLease',
        'writeHeartbeat',
        'deleteHeartbeat',
        'deleteLease',
      ],
    ],
    ['the source of records', 'recordSource', ['openShard', 'readRecords', 'splitBatch', 'dropBatch', 'closeShard', 'listChildShards']],
    ['the directory of the stream', 'streamDirectory', ['listShards']],
    [
      'the record processor',
      'processor',
      [
        'initialize',
        'processRecords',
        'deliverDeadLetter',
        'notifyShutdownRequested',
        'notifyLeaseLost',
        'notifyShardEnded',
        'settleCheckpoint',
      ],
    ],
    ['the timers', 'timers', ['startTimer']],
    ['the owner of a consumer', 'consumerOwner', ['signalShutdownNotificationComplete', 'signalLeaseLost', 'signalShutdownComplete']],
    ['the host of lease keepers', 'leaseHost', ['keepLease', 'stopKeeping', 'loseLease', 'handOverLease']],
    ['the host of shard consumers', 'consumerHost', ['startConsumer', 'shutDownConsumer']],
    ['the driver', 'driver', ['cancel']],
  ])('ask of %s what one adapter can carry out', (_, port, effects) => {
    expect(onPort(port)).toEqual(effects)
  })

  it('let whatever a shard consumer awaits beside a read and a checkpoint be its one task', () => {
    const asked = ['leaseStore', 'recordSource', 'processor'].flatMap(onPort).filter(isAnswered)
    const beside = asked.filter((type) => effectTable[type].lane !== 'task')

    expect(beside).toEqual(['writeCheckpoint', 'readRecords'])
  })

  it('let whatever is asked of the lease table and of the stream directory run beside shard consumers', () => {
    const lanes = [...onPort('leaseTable'), ...onPort('streamDirectory')].map((type) => effectTable[type].lane)

    expect(new Set<string>(lanes)).toEqual(new Set(['coordinator']))
  })
})

describe('the effect table as JSON', () => {
  it('keeps every answer, and what each carries is left to the types', () => {
    expect(JSON.parse(JSON.stringify(effectTable))).toStrictEqual(effectTable)
  })
})

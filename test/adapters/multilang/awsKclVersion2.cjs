'use strict'
const fs = require('node:fs')
const kcl = require('aws-kcl')

let shardId
const note = (line) => fs.appendFileSync(process.argv[2], `${JSON.stringify({ shardId, pid: process.pid, ...line })}\n`)

const timesNoted = (text) => fs.readFileSync(process.argv[2], 'utf8').split(`"text":${JSON.stringify(text)}`).length - 1

const recordProcessor = {
  initialize(initializeInput, completeCallback) {
    shardId = initializeInput.shardId
    note({ told: 'initialize', at: initializeInput.sequenceNumber, input: initializeInput })
    completeCallback()
  },

  processRecords(processRecordsInput, completeCallback) {
    for (const { data, partitionKey, sequenceNumber, subSequenceNumber } of processRecordsInput.records) {
      const text = Buffer.from(data, 'base64').toString()
      note({ sequenceNumber, subSequenceNumber, partitionKey, text })
      if (text === 'throw' && timesNoted(text) === 1) throw new Error('told to')
    }
    const last = processRecordsInput.records.at(-1)
    processRecordsInput.checkpointer.checkpoint(last.sequenceNumber, (error, sequenceNumber) => {
      note({ checkpointed: sequenceNumber, error })
      // A second argument slows it down.
      setTimeout(() => completeCallback(), Number(process.argv[3] ?? 0))
    })
  },

  leaseLost(_leaseLostInput, completeCallback) {
    note({ told: 'leaseLost' })
    completeCallback()
  },

  shardEnded(shardEndedInput, completeCallback) {
    note({ told: 'shardEnded' })
    // The example of aws-kcl completes twice: here, and before it.
    shardEndedInput.checkpointer.checkpoint(() => completeCallback())
    completeCallback()
  },

  shutdownRequested(shutdownRequestedInput, completeCallback) {
    note({ told: 'shutdownRequested' })
    shutdownRequestedInput.checkpointer.checkpoint(() => completeCallback())
  },
}

kcl(recordProcessor).run()

'use strict'
const fs = require('node:fs')
const kcl = require('aws-kcl')

let shardId
const note = (line) => fs.appendFileSync(process.argv[2], `${JSON.stringify({ shardId, pid: process.pid, ...line })}\n`)

const recordProcessor = {
  initialize(initializeInput, completeCallback) {
    shardId = initializeInput.shardId
    note({ told: 'initialize' })
    completeCallback()
  },

  processRecords(processRecordsInput, completeCallback) {
    for (const { data, sequenceNumber, partitionKey } of processRecordsInput.records) {
      note({ sequenceNumber, partitionKey, text: Buffer.from(data, 'base64').toString() })
    }
    completeCallback()
  },

  shutdown(shutdownInput, completeCallback) {
    note({ told: `shutdown ${shutdownInput.reason}` })
    if (shutdownInput.reason === 'TERMINATE') shutdownInput.checkpointer.checkpoint(() => completeCallback())
    else completeCallback()
  },
}

kcl(recordProcessor).run()

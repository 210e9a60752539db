/** A worker whose figures go where OpenTelemetry is told to send them. */
import { metrics } from '@opentelemetry/api'
import { eachRecord, observeWithMeter, Worker } from 'shardwise'

export const worker = new Worker({
  streamName: 'orders',
  applicationName: 'billing',
  processor: eachRecord(({ data }) => console.log(new TextDecoder().decode(data))),
  observe: observeWithMeter({ meter: metrics.getMeter('billing') }),
})

import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb'
import type { ReportingWorker } from '@shardwise/effects'
import type { Sender } from './namingTable.ts'

/** A table that is not there, that this worker may not read, or whose name is longer than DynamoDB knows them: then nothing is known of it. */
const unreadable = new Set(['ResourceNotFoundException', 'AccessDeniedException', 'ValidationException'])

/**
 * Looks, once, for the workers that report to a leader of the KCL 3.0 to 3.4: in a table of its own, which is named after the application, as the lease table is
 * unless said otherwise. None where there is no such table or it may not be read; none at any later look. One call, which may be repeated until it succeeds.
 */
export function olderReports(client: Sender, tableName: string): () => Promise<readonly ReportingWorker[]> {
  let isKnown = false
  return async () => {
    if (isKnown) return []
    const items = await firstPageOf(client, `${tableName}-WorkerMetricStats`)
    isKnown = true
    return items.flatMap(({ wid, lut }) => {
      const reportedSeconds = Number(lut?.N)
      return wid?.S === undefined || !Number.isFinite(reportedSeconds)
        ? []
        : [{ workerId: wid.S, reportedMsAgo: Date.now() - reportedSeconds * 1_000 }]
    })
  }
}

/** Workers report a kilobyte each, and one that lives is enough. */
async function firstPageOf(client: Sender, tableName: string): Promise<readonly Record<string, AttributeValue>[]> {
  try {
    const { Items: items = [] } = await client.send(new ScanCommand({ TableName: tableName }))
    return items
  } catch (error) {
    if (error instanceof Error && unreadable.has(error.name)) return []
    throw error
  }
}

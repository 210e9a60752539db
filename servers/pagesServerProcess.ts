// A pages server in a process of its own, so that its work is not counted as the client's. Its options are the first argument, as JSON; it sends
// its endpoints to the parent when it is ready, and ends with the parent.
import type { PagesOptions } from './pages.ts'
import { startPagesServer } from './pagesServer.ts'

const { http1, http2 } = await startPagesServer(JSON.parse(process.argv[2] ?? '{}') as PagesOptions)
process.once('disconnect', () => process.exit())
process.send?.({ http1, http2 })

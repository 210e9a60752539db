// A pages server in a process of its own, so that its work is not counted as the client's. Its options are the first argument, as JSON, with the
// `roundTripMs` that its endpoint `far` is away; it sends its endpoints and its certificate to the parent when it is ready, and ends with the parent.
import { startDelayingProxy } from './delayingProxy.ts'
import type { PagesOptions } from './pages.ts'
import { startPagesServer } from './pagesServer.ts'

const { roundTripMs, ...options } = JSON.parse(process.argv[2] ?? '{}') as PagesOptions & { readonly roundTripMs: number }
const { plain, tls, certificate } = await startPagesServer(options)
const { endpoint: far } = await startDelayingProxy(tls, roundTripMs)
process.once('disconnect', () => process.exit())
process.send?.({ plain, tls, far, certificate })

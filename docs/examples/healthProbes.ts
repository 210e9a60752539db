/** Probes for whatever restarts or drains a worker, from its health. */
import type { Worker } from 'shardwise'

/** Answers `/ready` and `/live` with 200 or 503, and `/health` with everything; hand it to any HTTP server. */
export function answerProbe(worker: Pick<Worker, 'health'>, path: string): Response {
  const health = worker.health()
  switch (path) {
    case '/ready':
      return Response.json({ phase: health.phase }, { status: health.isReady ? 200 : 503 })
    case '/live':
      return Response.json({ stuck: health.shards.filter(({ isStuck }) => isStuck) }, { status: health.isLive ? 200 : 503 })
    case '/health':
      return Response.json(health)
    default:
      return Response.json({ error: `${path}: expected /ready, /live or /health` }, { status: 404 })
  }
}

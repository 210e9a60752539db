import { checkpointPieces } from './checkpointPieces.ts'
import { coordinatorPieces } from './coordinatorPieces.ts'
import { failurePieces } from './failurePieces.ts'
import { leasePieces } from './leasePieces.ts'
import type { Piece } from './piece.ts'
import { shardEndPieces } from './shardEndPieces.ts'
import { shutdownPieces } from './shutdownPieces.ts'

/** Every piece of the museum. */
export const pieces: readonly Piece[] = [
  ...shardEndPieces,
  ...checkpointPieces,
  ...failurePieces,
  ...shutdownPieces,
  ...leasePieces,
  ...coordinatorPieces,
]

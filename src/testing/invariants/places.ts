import { compareSequenceNumbers, type ExtendedSequenceNumber } from '@shardwise/effects'

/** Whether both places are known and the first lies above the second. */
export const above = (a: ExtendedSequenceNumber | null | undefined, b: ExtendedSequenceNumber | null | undefined): boolean =>
  a !== null && a !== undefined && b !== null && b !== undefined && compareSequenceNumbers(a, b) > 0

/** Whether a place is a record, and no sentinel or nonsense. */
export const isRecord = (place: ExtendedSequenceNumber | null | undefined): place is ExtendedSequenceNumber =>
  place !== null && place !== undefined && /^[0-9]+$/.test(place.sequenceNumber)

/** A place as text. */
export const placeText = (place: ExtendedSequenceNumber | null | undefined): string =>
  place === null || place === undefined ? 'nothing' : `${place.sequenceNumber}/${place.subSequenceNumber}`

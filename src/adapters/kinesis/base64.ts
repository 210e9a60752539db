const alphabet = /^[A-Za-z0-9+/]*={0,2}$/
const slabBytes = 64 * 1024

/**
 * Makes a decoder of base64 into arrays of exact length, undefined for what is not base64 with its padding. `isPlain` says that the text holds no character
 * outside ASCII, which makes the check cheap. Small arrays share blocks of 64 KiB, as those of `Buffer` share smaller ones.
 */
export function createBase64Decoder(): (text: string, isPlain: boolean) => Uint8Array | undefined {
  let slab = Buffer.allocUnsafeSlow(0)
  let used = 0

  return (text, isPlain) => {
    const length = decodedLength(text)
    if (length === undefined || (!isPlain && !alphabet.test(text))) return undefined
    if (slab.length - used < length) {
      slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, length))
      used = 0
    }
    const written = slab.write(text, used, length, 'base64')
    // Node leaves out what is not base64, so that less is written; and it takes the two characters of URLs for their sisters.
    if (written !== length || text.includes('-') || text.includes('_')) return undefined
    const bytes = new Uint8Array(slab.buffer, used, length)
    used = (used + length + 7) & ~7
    return bytes
  }
}

/** How many bytes the text stands for if it is base64; undefined when its length is that of no base64. */
function decodedLength(text: string): number | undefined {
  if (text.length % 4 !== 0) return undefined
  const most = (text.length / 4) * 3
  if (!text.endsWith('=')) return most
  return text.endsWith('==') ? most - 2 : most - 1
}

const newline = 0x0a

/** Cuts bytes into lines, and keeps no more than `mostBytes` of any of them: of a longer one the beginning is given, with `cut` true. */
export class BoundedLines {
  readonly #mostBytes: number
  readonly #onLine: (line: string, cut: boolean) => void
  #pieces: Uint8Array[] = []
  #held = 0
  #cut = false

  constructor(mostBytes: number, onLine: (line: string, cut: boolean) => void) {
    this.#mostBytes = mostBytes
    this.#onLine = onLine
  }

  push(bytes: Uint8Array): void {
    let from = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      this.#keep(bytes.subarray(from, end))
      this.#give()
      from = end + 1
    }
    this.#keep(bytes.subarray(from))
  }

  /** Gives what came after the last end of line, if anything did. */
  end(): void {
    if (this.#held > 0) this.#give()
  }

  #keep(bytes: Uint8Array): void {
    const room = this.#mostBytes - this.#held
    if (bytes.length > room) this.#cut = true
    const kept = bytes.subarray(0, room)
    if (kept.length === 0) return
    this.#pieces.push(kept)
    this.#held += kept.length
  }

  #give(): void {
    const line = Buffer.concat(this.#pieces, this.#held).toString('utf8')
    const cut = this.#cut
    this.#pieces = []
    this.#held = 0
    this.#cut = false
    this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line, cut)
  }
}

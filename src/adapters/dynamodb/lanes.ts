/** Runs what concerns one key one after another, in the order asked for; different keys run at once. */
export type Lanes = <Result>(key: string, run: () => Promise<Result>) => Promise<Result>

/** Makes lanes that forget a key when nothing waits in it. */
export function createLanes(): Lanes {
  const ends = new Map<string, Promise<void>>()
  return (key, run) => {
    const result = (ends.get(key) ?? Promise.resolve()).then(run)
    const leave = (): void => {
      if (ends.get(key) === end) ends.delete(key)
    }
    // A failure belongs to whoever asked for it; the next in the lane runs all the same.
    const end: Promise<void> = result.then(leave, leave)
    ends.set(key, end)
    return result
  }
}

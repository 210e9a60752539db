import { describe, expect, it } from 'vitest'
import { asked, endsIn, heard, inOrder, lifeOf, noneAfter, told, transcriptOfLife } from './life.ts'

const transcript = `> start
  WAITING.checking
    ! look #1 parents=a,b
> found #1
  (nothing changes)
> found #1 at=b1
  DONE outcome=finished reason=END
    ! drop batch=b1
    ! drop batch=b2
`
const life = lifeOf(transcript)

describe('a transcript', () => {
  it('is read step by step, and keeps its state where nothing changes', () => {
    expect(life).toEqual([
      { event: 'start', state: 'WAITING.checking', effects: ['look #1 parents=a,b'] },
      { event: 'found #1', state: 'WAITING.checking', effects: [] },
      { event: 'found #1 at=b1', state: 'DONE outcome=finished reason=END', effects: ['drop batch=b1', 'drop batch=b2'] },
    ])
  })

  it('is what a life is written as', () => {
    expect(lifeOf(transcriptOfLife(life))).toEqual(life)
    expect(transcriptOfLife(told(['a', 'B', 'c'], ['d', 'E']))).toBe('> a\n  B\n    ! c\n> d\n  E')
  })
})

describe('a check', () => {
  it('asks for whole words, in any order', () => {
    expect(asked(life, 'look parents=a,b')).toEqual([0])
    expect(asked(life, 'look parents=a')).toEqual([])
    expect(heard(life, 'at=b1 found')).toEqual([2])
    expect(endsIn(life, 'outcome=finished')).toBe(true)
    expect(endsIn(life, 'outcome')).toBe(false)
  })

  it('counts every effect of a step', () => {
    expect(asked(life, 'drop')).toEqual([2, 2])
  })

  it('of an order wants each to happen, one step after the other at least', () => {
    expect(inOrder([0, 5], [1], [2, 3])).toBe(true)
    expect(inOrder([1], [1])).toBe(false)
    expect(inOrder([2], [1, 3])).toBe(false)
    expect(inOrder([0], [], [1])).toBe(false)
  })

  it('that nothing comes after wants the first to happen', () => {
    expect(noneAfter([3], [1, 3])).toBe(true)
    expect(noneAfter([3], [4])).toBe(false)
    expect(noneAfter([], [])).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import { createMailbox } from '../../src/machine/mailbox.ts'

describe('a mailbox', () => {
  it('keeps what is sent before it is opened, and passes it on in order when it is', () => {
    const mailbox = createMailbox<string>()
    const heard: string[] = []
    mailbox.send('first')
    mailbox.send('second')
    mailbox.open({ send: (event) => heard.push(event) })

    expect(heard).toEqual(['first', 'second'])
  })

  it('passes on at once what is sent after it was opened', () => {
    const mailbox = createMailbox<string>()
    const heard: string[] = []
    mailbox.open({ send: (event) => heard.push(event) })
    expect(heard).toEqual([])
    mailbox.send('first')
    expect(heard).toEqual(['first'])
    mailbox.send('second')

    expect(heard).toEqual(['first', 'second'])
  })

  it('passes on at once what its receiver sends itself while it takes what was kept', () => {
    const mailbox = createMailbox<number>()
    const heard: number[] = []
    mailbox.send(1)
    mailbox.send(2)
    mailbox.open({
      send(event) {
        heard.push(event)
        if (event < 10) mailbox.send(event * 10)
      },
    })

    expect(heard).toEqual([1, 10, 2, 20])
  })
})

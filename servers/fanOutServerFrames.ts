import { crc32 } from 'node:zlib'

/** One message of the AWS event stream encoding. The body is JSON, or as it stands when it is a text. */
export function frame(headers: Readonly<Record<string, string>>, body: unknown): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)))
  const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const prelude = Buffer.alloc(8)
  prelude.writeUInt32BE(8 + 4 + head.length + payload.length + 4, 0)
  prelude.writeUInt32BE(head.length, 4)
  const message = Buffer.concat([prelude, checksum(prelude), head, payload])
  return Buffer.concat([message, checksum(message)])
}

/** An event of a kind. */
export function eventFrame(kind: string, body: unknown): Buffer {
  return frame({ ':message-type': 'event', ':event-type': kind, ':content-type': 'application/x-amz-json-1.1' }, body)
}

/** An exception that the service names in the stream. */
export function exceptionFrame(name: string, message: string): Buffer {
  return frame({ ':message-type': 'exception', ':exception-type': name, ':content-type': 'application/x-amz-json-1.1' }, { message })
}

function header(name: string, value: string): Buffer {
  const text = Buffer.from(value)
  const stringType = 7
  const head = Buffer.from([name.length, ...Buffer.from(name), stringType, text.length >> 8, text.length & 255])
  return Buffer.concat([head, text])
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(bytes))
  return sum
}

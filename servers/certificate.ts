import { generateKeyPairSync, sign } from 'node:crypto'

/** A private key and a certificate for it, both PEM. */
interface Certificate {
  readonly key: string
  readonly cert: string
}

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
}
const ecdsaWithSha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]
const commonName = [0x55, 0x04, 0x03]
const subjectAltName = [0x55, 0x1d, 0x11]
const basicConstraints = [0x55, 0x1d, 0x13]
const dayMs = 86_400_000

/** Makes a certificate for 127.0.0.1 that signs itself and lasts a day: Node can check certificates, but not make them. Source: RFC 5280. */
export function makeCertificate(nowMs = Date.now()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(tags.sequence, der(tags.objectId, ecdsaWithSha256))
  const name = der(tags.sequence, der(tags.set, der(tags.sequence, der(tags.objectId, commonName), der(tags.utf8, text('127.0.0.1')))))
  const extension = (id: number[], value: Buffer) => der(tags.sequence, der(tags.objectId, id), der(tags.octetString, value))
  const toSign = der(
    tags.sequence,
    der(0xa0, der(tags.integer, [2])),
    der(tags.integer, [1]),
    algorithm,
    name,
    der(tags.sequence, utcTime(nowMs - dayMs), utcTime(nowMs + dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      der(
        tags.sequence,
        extension(basicConstraints, der(tags.sequence, der(tags.boolean, [0xff]))),
        extension(subjectAltName, der(tags.sequence, der(0x87, [127, 0, 0, 1]))),
      ),
    ),
  )
  const certificate = der(tags.sequence, toSign, algorithm, der(tags.bitString, [0], sign('sha256', toSign, privateKey)))
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  }
}

/** A value of ASN.1 with its tag and length. */
function der(tag: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const text = (value: string): Buffer => Buffer.from(value, 'ascii')

/** YYMMDDhhmmssZ. */
const utcTime = (ms: number): Buffer => der(tags.utcTime, text(`${new Date(ms).toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`))

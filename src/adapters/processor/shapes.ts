const shapes = {
  'version 1': ['initialize', 'processRecords', 'shutdown'],
  'version 2': ['initialize', 'processRecords', 'shutdown'],
  KCL: ['initialize', 'processRecords', 'leaseLost', 'shardEnded'],
} as const

/** A shape of record processors: what the KCL calls them today, or one of its two older ones. */
export type Shape = keyof typeof shapes

/** @throws Error that names the first required method that is missing, or `shutdownRequested` or `deadLetter` when it is there and no function. */
export function requireMethods(processor: object, shape: Shape): void {
  if (typeof processor !== 'object' || processor === null) {
    throw new Error(`processor: expected a record processor, got ${String(processor)}`)
  }
  const methods = processor as Readonly<Record<string, unknown>>
  const bad = shapes[shape].find((method) => typeof methods[method] !== 'function')
  if (bad !== undefined) throw new Error(`processor.${bad}: ${expectation(methods, shape)}, got ${String(methods[bad])}`)
  for (const name of ['shutdownRequested', 'deadLetter']) {
    const optional = methods[name]
    if (optional !== undefined && typeof optional !== 'function') {
      throw new Error(`processor.${name}: expected a function or nothing, got ${String(optional)}`)
    }
  }
}

function expectation(methods: Readonly<Record<string, unknown>>, shape: Shape): string {
  const expected = `a processor of the ${shape} shape has the functions ${shapes[shape].join(', ')}`
  // What a processor written for an older library looks like here.
  const older = shape === 'KCL' && typeof methods['shutdown'] === 'function'
  return older ? `${expected}; one with shutdown() says \`version = 1\` or \`version = 2\`` : expected
}

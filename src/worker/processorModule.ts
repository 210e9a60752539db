import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyRecordProcessor } from '@shardwise/processor'

type Callable = (...args: readonly unknown[]) => unknown
type ProcessorClass = new (shardId: string) => AnyRecordProcessor

/**
 * Loads a module and gives what makes its record processors: a class, or a function of the shard id, exported as `default` or `createProcessor`.
 * @throws Error naming the file, when it does not load, exports neither, or exports a class that lacks a method.
 */
export async function loadProcessorModule(file: string): Promise<(shardId: string) => AnyRecordProcessor> {
  const exported = await load(file)
  const made = exported['default'] ?? exported['createProcessor']
  if (typeof made !== 'function') {
    const got =
      made === undefined
        ? `exports ${Object.keys(exported).join(', ') || 'nothing'}`
        : `exports ${made === null ? 'null' : `an ${typeof made}`}`
    throw new Error(
      `--processor: expected ${file} to export a class or a function (shardId) => processor, as default or createProcessor; it ${got}`,
    )
  }
  if (!isClass(made as Callable)) return made as (shardId: string) => AnyRecordProcessor
  const missing = missingMethods(made as ProcessorClass)
  if (missing.length > 0) {
    throw new Error(
      `--processor: the class ${made.name} in ${file} lacks ${missing.join(', ')}; expected initialize, processRecords, leaseLost and ` +
        'shardEnded, or, with `version = 1` or `version = 2`, initialize, processRecords and shutdown',
    )
  }
  return (shardId) => new (made as ProcessorClass)(shardId)
}

async function load(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message.split('\n')[0]}` : String(cause)
    throw new Error(`--processor: ${file} does not load: ${reason}`, { cause })
  }
}

/** A class by its text, or an older one by the methods of its prototype. */
function isClass(made: Callable): boolean {
  const { prototype } = made as unknown as { readonly prototype: unknown }
  if (typeof prototype !== 'object' || prototype === null) return false
  return made.toString().startsWith('class') || Object.getOwnPropertyNames(prototype).length > 1
}

/** What a class lacks of the one shape or the other. It is not made for the question: a method may also be a field, which only its text shows. */
function missingMethods(made: ProcessorClass): readonly string[] {
  const has = (method: string): boolean =>
    method in made.prototype || ancestryOf(made).some((text) => new RegExp(`\\b${method}\\b`).test(text))
  const ends = has('shutdown') && !has('shardEnded') ? [] : ['leaseLost', 'shardEnded']
  return ['initialize', 'processRecords', ...ends].filter((method) => !has(method))
}

function ancestryOf(made: unknown): readonly string[] {
  return typeof made === 'function' && made !== Function.prototype ? [made.toString(), ...ancestryOf(Object.getPrototypeOf(made))] : []
}

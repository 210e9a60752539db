import { refuseUnknownOptions } from './options.ts'
import type { RecordProcessor } from './recordProcessor.ts'
import { type RecordProcessorV1, type RecordProcessorV2, v1ToV2, v2ToKcl, type WarningLogger } from './seedShapes.ts'
import { requireMethods } from './shapes.ts'

/** A record processor of any version; none means the KCL's shape. */
export type AnyRecordProcessor = RecordProcessor | RecordProcessorV2 | RecordProcessorV1

/**
 * Gives any record processor the KCL's shape, by its property `version`: 1 and 2 are adapted and promise `shutdownOnce`; 3 or none is returned as it is.
 * `logger` hears of a processor of version 1 or 2 that did not checkpoint at the end of its shard.
 * @throws Error for another version, a missing method or an unknown option.
 */
export function adaptRecordProcessor(
  processor: AnyRecordProcessor,
  options: { readonly logger?: WarningLogger | undefined } = {},
): RecordProcessor {
  refuseUnknownOptions('adaptRecordProcessor', options, ['logger'])
  const { logger } = options
  if (logger !== undefined && typeof logger?.warn !== 'function') {
    throw new Error(`logger: expected an object with a function warn, got ${String(logger)}`)
  }
  if (typeof processor !== 'object' || processor === null) {
    throw new Error(`processor: expected a record processor, got ${String(processor)}`)
  }
  switch (processor.version) {
    case undefined:
    case 3:
      requireMethods(processor, 'KCL')
      return processor
    case 2:
      requireMethods(processor, 'version 2')
      return v2ToKcl(processor, logger)
    case 1:
      requireMethods(processor, 'version 1')
      return v2ToKcl(v1ToV2(processor), logger)
    default: {
      const { version } = processor as { readonly version: unknown }
      throw new Error(`processor.version: expected 1, 2, 3 or none, got ${String(version)} (${typeof version})`)
    }
  }
}

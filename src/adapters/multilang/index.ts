export {
  type ChildCheckpointRequested,
  type ChildConsumer,
  type ChildProcessor,
  childProcessors,
  type MakeChildProcessor,
} from './childProcessors.ts'
export { type ChildLogger, type ChildProcessorOptions, splitCommand } from './options.ts'
export { parseProperties } from './properties.ts'

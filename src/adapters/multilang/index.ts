export { parseProperties } from './properties.ts'

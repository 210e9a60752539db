import { writeFileSync } from 'node:fs'
import { compiledProgramText } from './compiledProgram.ts'

/** Writes the compiled program of the shard consumer. */
const file = new URL('../src/machine/shardConsumerProgram.ts', import.meta.url)
writeFileSync(file, compiledProgramText())
console.log('src/machine/shardConsumerProgram.ts written')

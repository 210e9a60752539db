import { writeFileSync } from 'node:fs'
import { compiledTableText } from './compiledTable.ts'

/** Writes the compiled table of the shard consumer. */
const file = new URL('../src/machine/shardConsumerTable.ts', import.meta.url)
writeFileSync(file, compiledTableText())
console.log('src/machine/shardConsumerTable.ts written')

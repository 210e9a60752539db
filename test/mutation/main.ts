import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Stryker } from '@stryker-mutator/core'
import { judge, type Mutant, mutantAt } from './judgement.ts'
import { survivors } from './survivors.ts'

/** The pure packages but for their lists of exports and the table that is written by a script, which a test compares with its source. */
const isMutated = (file: string): boolean => file.endsWith('.ts') && !/\/(?:index|shardConsumerProgram)\.ts$/.test(file)
const allFiles = ['src/effects', 'src/machine']
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .filter(isMutated)

const leastScore = 95
const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const outcomes: Readonly<Record<string, Mutant['outcome']>> = {
  Killed: 'detected',
  Timeout: 'detected',
  Survived: 'survived',
  NoCoverage: 'survived',
}

/** Where Stryker keeps what it found, by file. */
const cache = 'node_modules/.cache/stryker/incremental.json'

/** Stryker takes a mutant of what runs while a file is loaded for settled, whatever tests were added since: those that survived are tried again. */
function forgetSurvivors(file: string): void {
  if (!existsSync(cache)) return
  const report = JSON.parse(readFileSync(cache, 'utf8')) as { files: Record<string, { mutants: { status: string }[] }> }
  const entry = report.files[file]
  if (entry === undefined) return
  entry.mutants = entry.mutants.filter(({ status }) => outcomes[status] !== 'survived')
  writeFileSync(cache, JSON.stringify(report))
}

/** Mutates one file. What was found is kept in a cache of Stryker's, so that a run that was cut off goes on with the next file. */
async function mutate(file: string): Promise<readonly Mutant[]> {
  forgetSurvivors(file)
  const sandbox = mkdtempSync(join(tmpdir(), 'shardwise-mutants-'))
  try {
    const results = await new Stryker({ mutate: [file], tempDirName: sandbox, incrementalFile: cache }).runMutationTest()
    const source = readFileSync(file, 'utf8')
    return results
      .filter(({ fileName }) => fileName.endsWith(file))
      .map(({ status, replacement, location }) =>
        mutantAt(source, { file, ...location, replacement, outcome: outcomes[status] ?? 'invalid' }),
      )
  } finally {
    rmSync(sandbox, { recursive: true, force: true })
  }
}

const asked = process.argv.slice(2)
const files = allFiles.filter((file) => asked.length === 0 || asked.some((part) => file.includes(part)))
const found: Mutant[] = []
for (const file of files) {
  const mutants = await mutate(file)
  found.push(...mutants)
  say(`${file}: ${judge(mutants, survivors).score.toFixed(1)} of 100`)
}

const { score, unargued, gone } = judge(found, survivors)
for (const { file, line, change } of unargued) say(`survived: ${file}\n  ${line}\n  ${change}`)
for (const { file, line, change } of gone) say(`listed as a survivor, and is none: ${file}\n  ${line}\n  ${change}`)
say(`score: ${score.toFixed(2)} of 100, ${leastScore} at least; ${unargued.length} new survivors, ${gone.length} listed in vain`)
// Some files are allowed more survivors than others; the score is that of all.
const scored = asked.length > 0 || score >= leastScore
process.exitCode = scored && unargued.length === 0 && gone.length === 0 ? 0 : 1

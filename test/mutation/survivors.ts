import type { ArguedSurvivors } from './judgement.ts'

/** Every mutant of the pure packages that survives, and why no test should fail for it. */
export const survivors: readonly ArguedSurvivors[] = []

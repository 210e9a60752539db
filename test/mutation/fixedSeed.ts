import fc from 'fast-check'

// A mutant that a property finds has to be found by every run.
fc.configureGlobal({ seed: 20_181_118 })

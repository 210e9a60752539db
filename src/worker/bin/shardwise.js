#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { runCommandLine } from '../dist/cli.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
await runCommandLine(process.argv, version)

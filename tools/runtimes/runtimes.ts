import { bun } from './bun.ts'
import { chromium } from './chromium.ts'
import { deno } from './deno.ts'
import { nodes } from './node.ts'
import { quickjs } from './quickjs.ts'
import type { Runtime } from './runtime.ts'
import { vm } from './vm.ts'
import { workerd } from './workerd.ts'

/** Every runtime that the machine is executed in. */
export const runtimes: readonly Runtime[] = [...nodes, bun, deno, workerd, quickjs, vm, chromium]

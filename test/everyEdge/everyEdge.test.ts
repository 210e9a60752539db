/** What is asked of every edge of the state graph. One file, so that the graph, which takes longer to walk than most of it, is walked once. */
import './edgeCoverage.ts'
import './transitionMatrix.ts'
import './compiledEngine.ts'
import './pathsKey.ts'

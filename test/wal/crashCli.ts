/**
 * Crash images of the write-ahead log on the command line:
 *
 *     npm run --silent wal:crash -- [--share N] [--every N] [--second N] [--go-on N] [--seed N] [--only NAME]
 *
 * A program of its own, because it is several times faster than in the sandbox of the test runner. Ends with
 * status 1 if anything was lost.
 */
import { parseArgs } from 'node:util';
import { enumerateCrashes } from './support/crashOracle.js';
import { scenarios } from './support/walWorkloads.js';

const { values } = parseArgs({
  options: {
    share: { type: 'string', default: '1' },
    every: { type: 'string', default: '50' },
    second: { type: 'string', default: '40' },
    'go-on': { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const depth = {
  share: Number(values.share),
  every: Number(values.every),
  second: Number(values.second),
  goOn: Number(values['go-on']),
  seed: Number(values.seed),
};

let images = 0;
let recoveries = 0;
for (const scenario of scenarios) {
  if (!scenario.name.includes(values.only)) continue;
  try {
    const result = await enumerateCrashes(scenario, depth);
    images += result.images;
    recoveries += result.recoveries;
    console.log(`${scenario.name}: ${result.images} images`);
  } catch (error) {
    console.log(error);
    process.exitCode = 1;
  }
}
console.log(`${images} images, ${recoveries} of them of a crash inside of a recovery; seed ${depth.seed}`);

/**
 * Prints the trace hashes of many runs, one a line: `node hashes.js <seeds> <steps>`. For the
 * comparison of versions of Node.js, so it needs nothing but the simulator. Seeds take turns with the profiles.
 */
import { profiles, simulate } from '../../src/sim/index.js';

const [seeds, steps] = process.argv.slice(2).map(Number);
const hashes: string[] = [];
for (let seed = 0; seed < seeds!; seed++) {
  hashes.push(simulate({ seed, steps: steps!, profile: profiles[seed % profiles.length]!, invariants: false }).traceHash);
}
console.log(hashes.join('\n'));

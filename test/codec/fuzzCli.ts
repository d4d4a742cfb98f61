/**
 * `npm run fuzz:codec -- [--inputs N] [--seed S]`: damaged messages for every decoder. Prints the seed
 * first; ends with what was accepted and refused, the speed, the slowest input and the growth of the heap.
 * Exit code 0 only if nothing else than a typed refusal ever came out.
 */
import { parseArgs } from 'node:util';
import { seededRandom } from '../support/seededRandom.js';
import { fuzzCorpus, fuzzOnce } from './fuzz.js';

const { values } = parseArgs({ options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string' } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const inputs = Number(values.inputs);
if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) throw new Error('fuzz:codec: --inputs and --seed must be whole numbers');
process.stdout.write(`seed ${seed}\n`);

const random = seededRandom(seed);
const corpus = fuzzCorpus(random, 2000);
const heapBefore = process.memoryUsage().heapUsed;
let accepted = 0;
let slowest = 0;
const start = performance.now();
let last = start;
for (let i = 0; i < inputs; i++) {
  if (fuzzOnce(corpus, random)) accepted++;
  const now = performance.now();
  slowest = Math.max(slowest, now - last);
  last = now;
}
const seconds = (last - start) / 1000;
const growth = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
process.stdout.write(
  `${inputs} inputs in ${seconds.toFixed(1)} s (${Math.round((60 * inputs) / seconds)} a minute): ` +
    `${accepted} accepted, ${inputs - accepted} refused, nothing else; ` +
    `slowest ${slowest.toFixed(1)} ms, heap grown by ${growth.toFixed(0)} MiB\n`,
);

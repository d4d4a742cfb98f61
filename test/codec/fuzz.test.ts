import { expect, test } from '@jest/globals';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { fuzzCorpus, fuzzOnce } from './fuzz.js';

/**
 * Goal (X1 to X4, D9): damaged bytes end in a record or a typed error, and a record that was accepted is
 * understood. Method: see `fuzz.ts`. Replay one: SEED=17 npm run jest -- codec/fuzz. More: npm run fuzz:codec
 */
test('20,000 damaged messages', () => {
  const random = seededRandom(announceSeed('codec/fuzz'));
  const corpus = fuzzCorpus(random, 2000);
  let accepted = 0;
  for (let i = 0; i < 20_000; i++) if (fuzzOnce(corpus, random)) accepted++;

  expect(accepted).toBeGreaterThan(1000);
  expect(20_000 - accepted).toBeGreaterThan(1000);
});

import { expect, jest, test } from '@jest/globals';
import { enumerateCrashes } from './support/crashOracle.js';
import { scenarios } from './support/walWorkloads.js';
import { announceSeed } from '../support/seededRandom.js';

/** As `crash.test.ts`, with every image of every moment, and a crash inside of the recovery of each tenth of them. */
const seed = announceSeed('wal/crash.long');

jest.setTimeout(1_800_000);

let images = 0;

test.each(scenarios)('A15: $name', async (scenario) => {
  const result = await enumerateCrashes(scenario, { share: 1, every: 10, second: 40, goOn: 1, seed });

  images += result.images;
  expect(result.recoveries).toBeGreaterThan(0);
});

test('A15: a hundred thousand images', () => {
  console.log(`${images} images`);
  expect(images).toBeGreaterThanOrEqual(100_000);
});

import { describe, expect, test } from '@jest/globals';
import { announceSeed } from '../support/seededRandom.js';
import { enumerateCrashes } from './support/crashOracle.js';
import { scenarios } from './support/walWorkloads.js';

/**
 * Goal: nothing that was acknowledged is lost by a loss of power at any moment, and no operator is needed (A15, V1, V7, V8).
 * Method: each scenario is stopped before every operation of the disk; each un-synced sector is then old, new, zero or
 * garbage, each un-synced name there or not. For some images, the same is done to their recovery.
 */
const seed = announceSeed('wal/crash');

describe('a crash at any moment', () => {
  let images = 0;

  test.each(scenarios)('A15: $name', async (scenario) => {
    const result = await enumerateCrashes(scenario, { first: 500, every: 40, second: 40, seed });

    images += result.images;
    expect(result.images).toBeGreaterThan(0);
  });

  test('A15: ten thousand images', () => {
    console.log(`${images} images`);
    expect(images).toBeGreaterThanOrEqual(10_000);
  });
});

import { describe, expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { lockKinds } from './lockKinds.js';
import { describeRaces, raceForLock } from './lockRaces.js';

const newDirectory = temporaryDirectories();

/**
 * Goal: of any number of processes that want a directory at once, workers of `cluster` among them, one at most has it.
 * Method: see `lockRaces.ts`; the seed fixes who takes part and whom a SIGKILL meets, not how the system schedules them.
 */
describe('races for a directory', () => {
  test.each(lockKinds.map((kind) => ({ kind })))(
    'A22: 15 races ($kind)',
    async ({ kind }) => {
      const result = await raceForLock(newDirectory(), kind, 15, announceSeed('lockRaces'));
      console.log(describeRaces(kind, result));

      expect(result.faults).toEqual([]);
      expect(result.races).toBe(15);
      expect(result.winners + result.kills).toBeGreaterThanOrEqual(result.starts);
      expect(result.clusterStarts).toBeGreaterThan(0);
    },
    60_000,
  );

  test('without a lock they find two owners', async () => {
    const result = await raceForLock(newDirectory(), 'none', 15, announceSeed('lockRaces'));

    expect(result.faults).not.toEqual([]);
  }, 60_000);
});

import { describe, expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { lockKinds } from './lockKinds.js';
import { describeRaces, raceForLock } from './lockRaces.js';

const newDirectory = temporaryDirectories();

describe('races for a directory, for long', () => {
  test.each(lockKinds.map((kind) => ({ kind })))(
    'A22: 1,000 races: never two owners, and free within a second of a SIGKILL ($kind)',
    async ({ kind }) => {
      const result = await raceForLock(newDirectory(), kind, 1000, announceSeed('lockRaces.long'));
      console.log(describeRaces(kind, result));

      expect(result.faults).toEqual([]);
      expect(result.races).toBe(1000);
      expect(result.killedInside).toBeGreaterThan(100);
      // No figure of speed, but what A22 promises.
      expect(result.slowestFreeMs).toBeLessThan(1000);
    },
    15 * 60_000,
  );
});

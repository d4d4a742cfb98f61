import { describe, expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { describeKills, killWriters } from './killRuns.js';

const newDirectory = temporaryDirectories();

/**
 * Goal: a process that is killed at any moment leaves a log with everything that it has reported as durable, and with
 * nothing that it has not written.
 * Method: see `killRuns.ts`; the seed fixes what is written and the times of the kills, not how far the writer is then.
 */
describe('killing the process that writes', () => {
  test(
    'A19: 100 SIGKILLs, in writes and in recovery: nothing that was acknowledged is lost',
    async () => {
      const result = await killWriters(newDirectory(), 100, announceSeed('wal/kill'));
      console.log(describeKills(result));

      expect(result.faults).toEqual([]);
      expect(result.kills).toBeGreaterThanOrEqual(100);
      expect(result.acknowledged).toBeGreaterThan(50);
      expect(result.comparisons).toBeGreaterThan(50);
    },
    300_000,
  );
});

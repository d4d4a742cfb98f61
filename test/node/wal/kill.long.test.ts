import { describe, expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { describeKills, killWriters } from './killRuns.js';

const newDirectory = temporaryDirectories();

describe('killing the process that writes, for long', () => {
  test(
    'A19: 1,000 SIGKILLs, in writes and in recovery: nothing that was acknowledged is lost',
    async () => {
      const result = await killWriters(newDirectory(), 1000, announceSeed('wal/kill.long'));
      console.log(describeKills(result));

      expect(result.faults).toEqual([]);
      expect(result.kills).toBeGreaterThanOrEqual(1000);
      expect(result.acknowledged).toBeGreaterThan(1000);
      expect(result.comparisons).toBeGreaterThan(500);
    },
    30 * 60_000,
  );
});

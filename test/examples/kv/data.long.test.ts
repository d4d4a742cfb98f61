import { describe, expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { describeKills, killRounds } from './killRounds.js';

const newDirectory = temporaryDirectories();

describe('the key-value store with --data, for long', () => {
  test(
    'A19: loses nothing that was acknowledged when all three nodes are killed, 200 times',
    async () => {
      const result = await killRounds(newDirectory(), 200, announceSeed('examples/kv/data.long'));
      console.log(describeKills(result));

      expect(result.faults).toEqual([]);
      expect(result.kills).toBe(200);
      expect(result.acknowledged).toBeGreaterThan(10_000);
    },
    20 * 60_000,
  );
});

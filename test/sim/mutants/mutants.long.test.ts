import { describe, expect, test } from '@jest/globals';

import { mutants } from './catalogue.js';
import { describeHunt, huntAll } from './huntAll.js';

const minutes = 60_000;

describe('mutants, all of them', () => {
  test(
    'an invariant kills each within its budget',
    async () => {
      const lines: string[] = [];
      const hunts = await huntAll(mutants, 2, (hunt, mutant) => lines.push(describeHunt(hunt, mutant)));

      console.log(lines.join('\n'));
      expect(hunts.filter(({ killed }) => !killed)).toEqual([]);
    },
    15 * minutes,
  );
});

import { describe, expect, test } from '@jest/globals';

import { mutants, notHunted } from './catalogue.js';
import { huntAll } from './huntAll.js';
import { built, edited, plant } from './plant.js';

const minutes = 60_000;

describe('mutants', () => {
  test(
    'the quick ones are killed',
    async () => {
      const quick = mutants.filter((mutant) => mutant.quick === true);

      const hunts = await huntAll(quick, 2);
      expect(hunts.filter(({ killed }) => !killed)).toEqual([]);
      expect(hunts.length).toBeGreaterThanOrEqual(12);
    },
    3 * minutes,
  );

  test.each(mutants.map((mutant) => ({ mutant, id: mutant.id })))('$id can be planted', ({ mutant }) => {
    expect(edited(built, [...(mutant.given ?? []), ...mutant.edits]).size).toBeGreaterThan(0);
  });

  test('a text that is not there, or there twice, cannot be planted', () => {
    const edit = (find: string) => [{ file: 'core/raft/outbox.js', find, replace: '' }];

    expect(() => plant(built, edit('no such text'), ['src/core'])).toThrow('0 times');
    expect(() => edited(built, edit('MessageType'))).toThrow(/has [0-9]+ times/);
  });

  test(
    'what breaks nothing survives',
    async () => {
      const [hunt] = await huntAll([{ ...mutants[0]!, edits: [] }], 1);

      expect(hunt).toMatchObject({ fired: 'survived', killed: false });
    },
    minutes,
  );

  test('ids are unique', () => {
    const ids = [...mutants, ...notHunted].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

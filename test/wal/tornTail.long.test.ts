import { expect, test } from '@jest/globals';
import { corpusLogs } from './support/corpusLogs.js';
import { DamageTrial } from './support/damageTrial.js';
import { cutLastSegment, cutOtherSegments, tearMarks } from './support/tears.js';

/** As `tornTail.test.ts`, at every byte. */
test('A18 every length of every segment and every mark', async () => {
  const wrong: string[] = [];
  for (const log of await corpusLogs()) {
    for (const [what, damage] of Object.entries({ 'last segment': cutLastSegment, 'other segments': cutOtherSegments, marks: tearMarks })) {
      const trial = new DamageTrial(log);
      await damage(trial, 1);
      console.log(`A18, ${what}, ${trial}`);
      wrong.push(...trial.wrong);
    }
  }
  expect(wrong).toEqual([]);
}, 1_200_000);

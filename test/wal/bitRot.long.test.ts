import { expect, test } from '@jest/globals';
import { corpusLogs } from './support/corpusLogs.js';
import { DamageTrial } from './support/damageTrial.js';
import { damageBatches, damageFiles, damageSectors, flipBits, setBytes } from './support/rot.js';

/** As `bitRot.test.ts`, without leaving anything out. */
test('A17 every bit, every byte, every sector, every batch, every file', async () => {
  const wrong: string[] = [];
  for (const log of await corpusLogs()) {
    const kinds: Record<string, (trial: DamageTrial) => Promise<void>> = {
      'every bit': (trial) => flipBits(trial, null),
      'every byte': (trial) => setBytes(trial, 1),
      sectors: (trial) => damageSectors(trial),
      batches: (trial) => damageBatches(trial),
      files: (trial) => damageFiles(trial),
    };
    for (const [kind, damage] of Object.entries(kinds)) {
      const trial = new DamageTrial(log);
      await damage(trial);
      console.log(`A17, ${kind}, ${trial}`);
      wrong.push(...trial.wrong);
    }
  }
  expect(wrong).toEqual([]);
}, 1_800_000);

import { beforeAll, describe, expect, test } from '@jest/globals';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { corpusLogs, type CorpusLog } from './support/corpusLogs.js';
import { DamageTrial } from './support/damageTrial.js';
import { cutLastSegment, cutOtherSegments, cutSnapshot, extendFiles, tearMarks } from './support/tears.js';

/**
 * Goal: what is missing at the end of a file is noticed, unless it is above the mark and could be the rest of an
 * interrupted write; then exactly the batches before it are there.
 * Method: the logs of `bitRot.test.ts`, cut and extended. `tornTail.long.test.ts` cuts at every byte.
 */
describe('A18 torn tails', () => {
  let logs: CorpusLog[];
  beforeAll(async () => {
    logs = await corpusLogs();
  });

  async function tryAll(what: string, damage: (trial: DamageTrial) => Promise<void>): Promise<DamageTrial[]> {
    const trials = logs.map((log) => new DamageTrial(log));
    for (const trial of trials) await damage(trial);
    console.log(`A18, ${what}\n${trials.join('\n')}`);
    expect(trials.flatMap(({ wrong }) => wrong)).toEqual([]);
    return trials;
  }

  test('the last segment is cut', async () => {
    const trials = await tryAll('last segment', (trial) => cutLastSegment(trial, 32));

    expect(trials.map(({ counts }) => counts.dropped > 0)).toEqual([true, false, true]);
    expect(trials.every(({ counts }) => counts.refused > 0 && counts.identical > 0)).toBe(true);
  }, 60_000);

  test('every other segment is cut', () => tryAll('other segments', (trial) => cutOtherSegments(trial, 61)).then(() => undefined), 60_000);

  test('each mark is torn: the other one is used', () => tryAll('marks', (trial) => tearMarks(trial, 32)).then(() => undefined), 60_000);

  test('the snapshot is cut', () => tryAll('snapshot', (trial) => cutSnapshot(trial)).then(() => undefined), 60_000);

  test('files become longer', () => {
    const random = seededRandom(announceSeed('tornTail'));
    return tryAll('longer files', (trial) => extendFiles(trial, random)).then(() => undefined);
  }, 60_000);
});

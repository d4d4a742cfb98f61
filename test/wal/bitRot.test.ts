import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RandomSource } from '../../src/core/random.js';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { batchesOf, corpusLogs, segmentsOf, type CorpusLog } from './support/corpusLogs.js';
import { DamageTrial } from './support/damageTrial.js';
import { damageBatches, damageFiles, damageSectors, flipBits, setBytes } from './support/rot.js';

/**
 * Goal: a log that was damaged is refused, or it has lost nothing but batches above the mark, or it is the same.
 * Method: three logs, damaged in one place at a time and opened. `bitRot.long.test.ts` leaves out nothing.
 */
describe('A17 rot', () => {
  let logs: CorpusLog[];
  let random: RandomSource;
  beforeAll(async () => {
    random = seededRandom(announceSeed('bitRot'));
    logs = await corpusLogs();
  });

  async function tryAll(what: string, damage: (trial: DamageTrial) => Promise<void>): Promise<void> {
    const trials = logs.map((log) => new DamageTrial(log));
    for (const trial of trials) await damage(trial);
    console.log(`A17, ${what}\n${trials.join('\n')}`);
    expect(trials.flatMap(({ wrong }) => wrong)).toEqual([]);
    // Everything of the one that was closed is below the mark.
    const [fresh, rotated, compacted] = trials.map(({ counts }) => counts);
    expect(rotated!.dropped).toBe(0);
    expect([fresh!.refused, rotated!.refused, compacted!.refused].every((count) => count > 0)).toBe(true);
  }

  test('the logs are what they are meant to be', () => {
    const [fresh, rotated, compacted] = logs;

    expect(fresh!.segments).toHaveLength(1);
    expect(rotated!.segments.length).toBeGreaterThan(3);
    expect(compacted!.segments.length).toBeGreaterThan(1);
    expect(compacted!.disk.files().filter((path) => path.endsWith('.snap'))).toHaveLength(1);
    for (const { disk, marked, states } of [fresh!, compacted!]) {
      // Some batches are above the mark, in the last segment.
      expect(batchesOf(disk.readFile(segmentsOf(disk).at(-1)!)).filter(({ seq }) => seq > marked).length).toBeGreaterThanOrEqual(2);
      expect(states.at(-1)!.seq).toBeGreaterThan(marked);
    }
    expect(rotated!.states.at(-1)!.seq).toBe(rotated!.marked);
  });

  test('one bit of every 24th byte', () => tryAll('one bit of every 24th byte', (trial) => flipBits(trial, random, 24)), 60_000);

  test('bytes become 0x00 or 0xFF', () => tryAll('bytes', (trial) => setBytes(trial, 211)), 60_000);

  test('sectors are zeroed, exchanged, set back', () => tryAll('sectors', (trial) => damageSectors(trial, 37)), 60_000);

  test('batches are dropped, repeated, exchanged', () => tryAll('batches', (trial) => damageBatches(trial)), 60_000);

  test('files are deleted, exchanged, set back; also two of them', () => tryAll('files', (trial) => damageFiles(trial)), 60_000);
});

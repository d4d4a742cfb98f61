import { expect, test } from '@jest/globals';
import { runWithoutWipe, runWithWipe, type Permission } from './reversionRuns.js';
import { announceSeed, seededRandom } from './seededRandom.js';

const permissions: readonly Permission[] = ['no', 'before', 'after', 'always'];

/** Three election timeouts of ten ticks each. */
const mostTicks = 30;

/** The random tests of followers whose log went back, so many runs of each; `RUNS=` overrides it. */
export function testReversions(defaultRuns: number, timeout: number): void {
  const runs = Number(process.env['RUNS'] ?? defaultRuns);

  test('O12: nobody is suspected for what networks, crashes and slow disks do', () => {
    const seed = announceSeed('reversion');
    for (let run = 0; run < runs; run++) {
      const { alarms, history } = runWithoutWipe(seededRandom(seed + run));
      expect({ seed: seed + run, alarms }).toEqual({ seed: seed + run, alarms: [] });
      expect(history.size).toBeGreaterThan(0);
    }
  }, timeout);

  test('O12 O13: a disk that forgets is found out within three election timeouts, and nothing is lost', () => {
    const seed = announceSeed('reversion');
    const kinds: Record<string, number> = { found: 0, healed: 0, term: 0, missed: 0 };
    let slowest = 0;
    for (let run = 0; run < runs; run++) {
      const random = seededRandom(seed + run);
      const permit = permissions[random(permissions.length)]!;
      try {
        const { kind, ticks } = runWithWipe(random, permit);
        kinds[kind]!++;
        if (kind === 'found' && ticks > slowest) slowest = ticks;
      } catch (error) {
        throw new Error(`SEED=${seed + run} RUNS=1, permitted: ${permit}`, { cause: error });
      }
    }
    console.log(`${JSON.stringify(kinds)}, found after ${slowest / 10} election timeouts at most`);
    expect(kinds).toMatchObject({ missed: 0 });
    expect(slowest).toBeLessThanOrEqual(mostTicks);
    // Otherwise they would prove little.
    if (runs >= 40) expect(kinds['found']).toBeGreaterThan(runs / 2);
  }, timeout);
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { hunters } from './hunters.js';
import type { Hunt, Mutant } from './mutant.js';
import { built, plant, uproot } from './plant.js';

/** Milliseconds after which a hunt is given up: a mutant may also loop for ever. */
const patience = 600_000;

/** Hunts mutants in child processes, `jobs` at a time, and tells of each when it is done. The order of the result is that of the mutants. */
export async function huntAll(mutants: readonly Mutant[], jobs: number, tell: (hunt: Hunt, mutant: Mutant) => void = () => undefined): Promise<Hunt[]> {
  // The build may change while this runs; all hunts are after the same core.
  const sound = plant(built, [], partsOf(mutants));
  const hunts: Hunt[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < mutants.length) {
      const at = next++;
      const mutant = mutants[at]!;
      const hunt = await huntOne(sound, mutant);
      hunts[at] = hunt;
      tell(hunt, mutant);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, worker));
  } finally {
    uproot(sound);
  }
  return hunts;
}

/** What the hunters of some mutants need of the build. */
function partsOf(mutants: readonly Mutant[]): readonly string[] {
  return [...new Set(mutants.flatMap(({ hunter = 'sim' }): readonly string[] => hunters[hunter].parts))];
}

async function huntOne(sound: string, mutant: Mutant): Promise<Hunt> {
  const { id, edits, given = [] } = mutant;
  const parts = partsOf([mutant]);
  const folders: string[] = [];
  try {
    const control = given.length === 0 ? sound : plant(sound, given, parts);
    if (control !== sound) folders.push(control);
    const planted = plant(control, edits, parts);
    folders.push(planted);
    return await child(planted, control, id);
  } catch (error) {
    return { id, fired: 'does not apply', killed: false, seeds: 0, seconds: 0, message: error instanceof Error ? error.message : String(error) };
  } finally {
    folders.forEach(uproot);
  }
}

function child(folder: string, sound: string, id: string): Promise<Hunt> {
  const program = join('build', 'test', 'sim', 'mutants', 'hunt.js');
  return new Promise((resolve) => {
    execFile(process.execPath, [program, folder, sound, id], { timeout: patience, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error === null) return resolve(JSON.parse(stdout) as Hunt);
      const fired = error.killed === true ? 'hangs' : 'hunt failed';
      resolve({ id, fired, killed: false, seeds: 0, seconds: 0, message: `${error.message}\n${stderr}` });
    });
  });
}

/** A hunt as a row of the table. */
export function describeHunt({ id, fired, seeds, seconds, killed }: Hunt, { seeds: budget, expected, profile, breaks, hunter = 'sim' }: Mutant): string {
  const note = killed && !expected.includes(fired) ? ` (${expected.join(', ')} expected)` : '';
  return [id.padEnd(6), `${fired}${note}`.padEnd(16), `${seeds}`.padStart(6), `${budget}`.padStart(7), `${seconds.toFixed(1)} s`.padStart(9), ` ${hunter.padEnd(8)} ${profile.padEnd(10)}`, breaks].join(' ');
}

/** Head of the table. */
export const tableHead = [`mutant`.padEnd(6), 'fired'.padEnd(16), ' seeds', ' budget', '     time', ` ${'hunter'.padEnd(8)} ${'profile'.padEnd(10)}`, 'what it breaks'].join(' ');

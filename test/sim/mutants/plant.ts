import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Edit } from './mutant.js';

/** Folder of the compiled sources. */
export const built = 'build/src';

/**
 * Copies the compiled core and simulator to a folder of their own and carries out the edits there.
 *
 * @param source folder to copy from.
 * @returns the folder, to be given to {@link uproot}.
 * @throws Error if a text is not there exactly once; nothing is left then.
 */
export function plant(source: string, edits: readonly Edit[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'raftstep-mutant-'));
  try {
    for (const part of ['core', 'sim']) {
      cpSync(join(source, part), join(folder, part), { recursive: true, filter: (name) => !/\.(?:d\.ts|map)$/.test(name) });
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    for (const { file, find, replace } of edits) {
      const path = join(folder, file);
      const parts = readFileSync(path, 'utf8').split(find);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`);
      writeFileSync(path, parts.join(replace));
    }
  } catch (error) {
    uproot(folder);
    throw error;
  }
  return folder;
}

/** Removes what {@link plant} made. */
export function uproot(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

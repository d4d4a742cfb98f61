import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Edit } from './mutant.js';

/** Folder of the build. */
export const built = 'build';

/**
 * Copies parts of the build to a folder of their own and carries out the edits there.
 *
 * @param source folder to copy from.
 * @param parts files and folders to copy.
 * @returns the folder, to be given to {@link uproot}.
 * @throws Error if a text is not there exactly once; nothing is left then.
 */
export function plant(source: string, edits: readonly Edit[], parts: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'raftstep-mutant-'));
  try {
    for (const part of parts) {
      cpSync(join(source, part), join(folder, part), { recursive: true, filter: (name) => !/\.(?:d\.ts|map|test\.js|tsbuildinfo)$/.test(name) });
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    for (const [file, text] of edited(source, edits)) writeFileSync(join(folder, 'src', file), text);
  } catch (error) {
    uproot(folder);
    throw error;
  }
  return folder;
}

/**
 * The files that edits change, with their new texts.
 *
 * @throws Error if a text is not there exactly once.
 */
export function edited(source: string, edits: readonly Edit[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const parts = (texts.get(file) ?? readFileSync(join(source, 'src', file), 'utf8')).split(find);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`);
    texts.set(file, parts.join(replace));
  }
  return texts;
}

/** Removes what {@link plant} made. */
export function uproot(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

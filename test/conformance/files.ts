import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The file of that path, or every file below the folder of that path whose name ends in `ending`, sorted.
 *
 * @throws Error if there is nothing at the path, or no such file in the folder.
 */
export function filesOf(path: string, ending: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`${path}: no such file or folder`);
  if (!found.isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(path, name));
  if (files.length === 0) throw new Error(`${path}: the folder has no ${ending} file`);
  return files;
}

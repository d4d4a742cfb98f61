import { basename, join } from 'node:path';

import { runNode } from './runProgram.js';

/**
 * Makes one file of a program and all the modules that it loads, which starts in two thirds of the time. Worth it for a
 * program that is started dozens of times.
 *
 * @param program path below the project, such as `build/test/node/wal/programs/walWriter.js`.
 * @param folder where to put it.
 * @returns path of the file.
 */
export function bundleProgram(program: string, folder: string): string {
  const file = join(folder, `${basename(program, '.js')}.mjs`);
  runNode(['node_modules/rollup/dist/bin/rollup', program, '--format', 'es', '--external', '/^node:/', '--silent', '--file', file], '.');
  return file;
}

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { runNode, runProgram } from '../support/runProgram.js';

/** Path of a program inside a package of the project: `bin('rollup', 'dist/bin/rollup')`. */
export function bin(name: string, file: string): string {
  return resolve('node_modules', name, file);
}

/**
 * Packs the project as `npm publish` would, from dist/ as it is.
 *
 * @returns the tarball and the paths inside it, sorted.
 */
export function packProject(folder: string): { readonly tarball: string; readonly files: readonly string[] } {
  const printed = runProgram('npm', ['pack', '--ignore-scripts', '--json', '--loglevel=error', '--pack-destination', folder], '.');
  const [packed] = JSON.parse(printed) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error(`npm pack said: ${printed}`);
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path).sort() };
}

/**
 * Installs the tarball with npm into an empty application in `folder`. protobufjs, the only dependency, comes from our own
 * node_modules, so no network is needed. The user's program of this test lies beside it.
 */
export function installTarball(folder: string, tarball: string): void {
  mkdirSync(folder);
  const dependencies = { raftstep: `file:${tarball}`, protobufjs: `file:${resolve('node_modules/protobufjs')}` };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  runProgram('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  cpSync('test/package/singleNode.js', join(folder, 'singleNode.js'));
}

/** Bundles `text`, a module of the application in `folder`, for a page: one script that needs no module loader. */
export function bundlePage(folder: string, text: string, format: 'iife' | 'es' = 'iife'): string {
  const entry = join(folder, 'page.js');
  writeFileSync(entry, text);
  const resolver = bin('@rollup', 'plugin-node-resolve/dist/cjs/index.js');
  return runNode([bin('rollup', 'dist/bin/rollup'), entry, '--format', format, '--silent', '--plugin', resolver], folder);
}

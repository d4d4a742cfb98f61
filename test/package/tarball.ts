import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

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

/** A module of the application, to be bundled for a page. */
export interface Page {
  readonly text: string;
  /** `iife`: one script that needs no module loader. */
  readonly format: 'iife' | 'es';
}

/** Bundles pages of the application in `folder`, all with one start of rollup, which takes longer than its work. Returns their code by name. */
export function bundlePages<Name extends string>(folder: string, pages: Readonly<Record<Name, Page>>): Record<Name, string> {
  const all = Object.entries<Page>(pages);
  for (const [name, { text }] of all) writeFileSync(join(folder, `${name}.js`), text);
  const resolver = JSON.stringify(pathToFileURL(bin('@rollup', 'plugin-node-resolve/dist/es/index.js')).href);
  const configs = all.map(([name, { format }]) => `{ input: '${name}.js', output: { file: 'pages/${name}.js', format: '${format}' }, plugins: [resolve()] }`);
  writeFileSync(join(folder, 'rollup.config.js'), `import resolve from ${resolver};\nexport default [${configs.join(', ')}];\n`);
  runNode([bin('rollup', 'dist/bin/rollup'), '--config', '--silent'], folder);
  return Object.fromEntries(all.map(([name]) => [name, readFileSync(join(folder, 'pages', `${name}.js`), 'utf8')])) as Record<Name, string>;
}

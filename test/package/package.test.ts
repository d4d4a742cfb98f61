import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { minify } from 'terser';

import { entryPoints } from '../../scripts/entryPoints.js';
import { runNode } from '../support/runProgram.js';
import { bin, bundlePage, installTarball, packProject } from './tarball.js';

/** What the core may weigh in a page, minified and compressed: 20 kB. */
const coreBudget = 20_000;

const elected = 'lead 1, committed 4 2';

let folder: string;
let app: string;
let tarball: string;
let files: readonly string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'raftstep-package-'));
  if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run build && npm run bundle` first');
  ({ tarball, files } = packProject(folder));
  app = join(folder, 'app');
  installTarball(app, tarball);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('holds the bundles, the types, the sources, the schema and the legal texts, and nothing else', () => {
    const places = /^(?:dist\/(?:[\w-]+|chunks\/[\w-]+)\.js(?:\.map)?|dist\/types\/[\w/-]+\.d\.ts(?:\.map)?|src\/[\w/-]+\.(?:ts|md)|proto\/[\w/-]+\.(?:proto|md))$/;
    const legal = ['CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md', 'package.json'];

    expect(files.filter((file) => !places.test(file))).toEqual(legal);
    expect(files).toEqual(expect.arrayContaining(entryPoints('.').map(({ source }) => source)));
    expect(files.some((file) => file.endsWith('.proto'))).toBe(true);
  });

  test('holds no type of a module that is gone, and a type for every module', () => {
    const modules = (pattern: RegExp): string[] => files.flatMap((file) => pattern.exec(file)?.[1] ?? []);

    expect(modules(/^dist\/types\/(.+)\.d\.ts$/)).toEqual(modules(/^src\/(.+)\.ts$/));
  });

  test('its types mention neither protobufjs nor Long', () => {
    const types = files.filter((file) => file.endsWith('.d.ts'));

    const mentions = types.filter((file) => /from ['"](?:protobufjs|long)|\bimport\(['"](?:protobufjs|long)|\bLong\b/.test(readFileSync(file, 'utf8')));
    expect(types).not.toEqual([]);
    expect(mentions).toEqual([]);
  });

  test('passes publint', () => {
    expect(runNode([bin('publint', 'src/cli.js'), 'run', tarball, '--strict'], folder)).toContain('All good');
  });

  test('passes are-the-types-wrong as an ES module package', () => {
    const args = [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'];

    expect(runNode([bin('@arethetypeswrong/cli', 'dist/index.js'), ...args], folder)).toContain('raftstep v');
  });
});

describe('an application that installed the tarball', () => {
  test('uses it by import', () => {
    writeFileSync(join(app, 'main.js'), `import * as raftstep from 'raftstep'; import { electSingleNode } from './singleNode.js'; console.log(electSingleNode(raftstep));`);

    expect(runNode(['main.js'], app).trim()).toBe(elected);
  });

  test('uses it by require', () => {
    writeFileSync(join(app, 'main.cjs'), `const { electSingleNode } = require('./singleNode.js'); console.log(electSingleNode(require('raftstep')));`);

    expect(runNode(['main.cjs'], app).trim()).toBe(elected);
  });

  test('loads every entry point', () => {
    const subpaths = entryPoints('.').map(({ subpath }) => subpath.replace('.', 'raftstep'));
    writeFileSync(join(app, 'all.js'), `for (const name of ${JSON.stringify(subpaths)}) console.log(name, Object.keys(await import(name)).length > 0);`);

    expect(runNode(['all.js'], app).trim().split('\n')).toEqual(subpaths.map((name) => `${name} true`));
  });
});

describe('a page', () => {
  test('runs the core without process, require, Buffer or any other global of Node', () => {
    const page = bundlePage(app, `import * as raftstep from 'raftstep'; import { electSingleNode } from './singleNode.js'; globalThis.said = electSingleNode(raftstep);`);

    const globals: { said?: string } = {};
    runInContext(page, createContext(globals));
    expect(globals.said).toBe(elected);
  });

  test(`carries the core in at most ${coreBudget} bytes, minified and compressed`, async () => {
    const { code = '' } = await minify(bundlePage(app, `export * from 'raftstep';`, 'es'), { module: true, ecma: 2020 });

    const size = gzipSync(code, { level: 9 }).length;
    console.log(`core: ${code.length} bytes minified, ${size} compressed, budget ${coreBudget}`);
    expect(code).toContain('ERR_RAFT_');
    expect(size).toBeLessThanOrEqual(coreBudget);
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { minify } from 'terser';

import { entryPoints, programs } from '../../scripts/entryPoints.js';
import { runNode, runProgram } from '../support/runProgram.js';
import { bin, bundlePages, installTarball, packProject } from './tarball.js';

// Other programs do the work here, and the machine may be busy.
jest.setTimeout(60_000);

/** What `RawNode` and all it needs may weigh in a page, minified and compressed: 20 kB. The rest is for those who import it. */
const coreBudget = 20_000;

const elected = 'lead 1, committed 4 2';

let folder: string;
let app: string;
let tarball: string;
let files: readonly string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'raftstep-package-'));
  if (!existsSync('dist/index.js')) throw new Error('dist/ is missing: run `npm run bundle` first');
  ({ tarball, files } = packProject(folder));
  app = join(folder, 'app');
  installTarball(app, tarball);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('holds the bundles, the types, the sources, the schema and the legal texts, and nothing else', () => {
    const places = /^(?:dist\/(?:[\w-]+|chunks\/[\w-]+|node\/wal\/cli)\.js(?:\.map)?|dist\/types\/[\w/-]+\.d\.ts(?:\.map)?|src\/[\w/-]+\.(?:ts|md)|proto\/[\w/-]+\.(?:proto|md))$/;
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

    const mentions = types.filter((file) => {
      const text = readFileSync(file, 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
      return /['"](?:protobufjs|long)\b|\bLong\b/.test(text);
    });
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

  test('runs every program', () => {
    for (const { command } of programs('.')) {
      expect(runProgram(join(app, 'node_modules/.bin', command), ['--help'], app)).toContain(`Usage: ${command} `);
    }
  });

  test('finds its log sound with raftstep-wal', () => {
    writeFileSync(
      join(app, 'log.js'),
      `import { EntryType, newEntry } from 'raftstep';
       import { verifyLog, WalStorage } from 'raftstep/wal';
       const log = await WalStorage.bootstrap({ dir: 'data', nodeId: 1, clusterId: 2 });
       await log.append({ entries: [newEntry(EntryType.EntryNormal, new TextEncoder().encode('hello'), 1, 1)], hardState: { term: 1, vote: 1, commit: 1 } });
       await log.close();
       console.log((await verifyLog('data')).verdict);`,
    );

    expect(runNode(['log.js'], app)).toBe('sound\n');
    expect(runProgram(join(app, 'node_modules/.bin/raftstep-wal'), ['dump', 'data'], app)).toMatch(/entry 1, term 1, EntryNormal, 5 bytes: "hello"\n[^]*\nsound\n$/);
  });

  test('loads every entry point', () => {
    const subpaths = entryPoints('.').map(({ subpath }) => subpath.replace('.', 'raftstep'));
    writeFileSync(join(app, 'all.js'), `for (const name of ${JSON.stringify(subpaths)}) console.log(name, Object.keys(await import(name)).length > 0);`);

    expect(runNode(['all.js'], app).trim().split('\n')).toEqual(subpaths.map((name) => `${name} true`));
  });
});

describe('a page', () => {
  let pages: Record<'core' | 'codec' | 'nodeAlone', string>;

  beforeAll(() => {
    pages = bundlePages(app, {
      core: {
        text: `import * as raftstep from 'raftstep'; import { electSingleNode } from './singleNode.js'; globalThis.said = electSingleNode(raftstep);`,
        format: 'iife',
      },
      codec: {
        text: `import { MessageType, newMessage, RaftError } from 'raftstep';
          import { decodeMessage, encodeMessage } from 'raftstep/codec';
          const message = { ...newMessage(MessageType.MsgHeartbeat, 2), from: 2n ** 63n, commit: 7 };
          const { from, commit } = decodeMessage(encodeMessage(message));
          let refused;
          try { decodeMessage(Uint8Array.of(255)); } catch (error) { refused = error instanceof RaftError; }
          globalThis.said = from + ' ' + commit + ' ' + refused;`,
        format: 'iife',
      },
      nodeAlone: { text: `export { RawNode } from 'raftstep';`, format: 'es' },
    });
  });

  test.each([
    { page: 'core', what: 'the core without process, require, Buffer or any other global of Node', says: elected },
    { page: 'codec', what: 'the codec as well', says: `${2n ** 63n} 7 true` },
  ] as const)('runs $what', ({ page, says }) => {
    const globals: { said?: string } = {};
    runInContext(pages[page], createContext(globals));
    expect(globals.said).toBe(says);
  });

  test(`carries RawNode and all it needs in at most ${coreBudget} bytes, minified and compressed`, async () => {
    const { code = '' } = await minify(pages.nodeAlone, { module: true, ecma: 2020, compress: { passes: 3 } });
    expect(code).toContain('ERR_RAFT_');
    const size = gzipSync(code, { level: 9 }).length;
    console.log(`RawNode: ${size} bytes, budget ${coreBudget}`);
    expect(size).toBeLessThanOrEqual(coreBudget);
  });
});

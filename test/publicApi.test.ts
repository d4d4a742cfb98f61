import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { entryPoints } from '../scripts/entryPoints.js';
import { apiText, readApi, type ApiExport } from './publicApi/apiModel.js';

const golden = 'test/publicApi.golden.txt';
const entries = entryPoints('.').map((entry) => ({ ...entry, title: entry.subpath.replace('.', 'raftstep') }));

let api: ApiExport[][];
beforeAll(() => {
  api = readApi(entries.map(({ built }) => built.replace(/\.js$/, '.d.ts')));
});

/** The public API is a promise: this list changes only on purpose (`REWRITE=1`), and the change is read in review. */
test('the exports of every entry point are those of the golden file', () => {
  const text = entries.map(({ title }, at) => apiText(title, api[at] ?? [])).join('\n');
  if (process.env['REWRITE'] === '1') writeFileSync(golden, text);

  expect(text).toBe(readFileSync(golden, 'utf8'));
});

describe.each(entries.map((entry, at) => ({ ...entry, at })))('$title', ({ built, at }) => {
  test('exports at run time what its types promise', async () => {
    const module = (await import(pathToFileURL(resolve(built)).href)) as Record<string, unknown>;

    const promised = (api[at] ?? []).filter(({ isValue }) => isValue).map(({ name }) => name);
    expect(Object.keys(module).sort()).toEqual(promised.sort());
    expect(promised).not.toEqual([]);
  });

  test('every exported name and every member of it has a doc comment', () => {
    expect((api[at] ?? []).flatMap(({ undocumented }) => undocumented)).toEqual([]);
  });
});

describe('the reader of declaration files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'raftstep-api-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (text: string): ApiExport[] => {
    const file = join(folder, 'index.d.ts');
    writeFileSync(file, text);
    return readApi([file])[0] ?? [];
  };

  test('finds names and members, and which of them exist at run time', () => {
    const exports = read(`
      declare class A { #a; private b; protected c; constructor(x: number); d(): void; d(x: number): void; static e: number; get f(): number }
      interface B { g: number; h(): void }
      declare const C: { readonly I: 1 };
      type C = number;
      declare function d(): void;
      export { A, C, d };
      export type { B, A as OnlyType };
    `);

    expect(apiText('x', exports).split('\n')).toEqual([
      '# x',
      'class A { constructor, d, e, f }',
      'interface B { g, h }',
      'const C { I }',
      'class OnlyType (type only) { constructor, d, e, f }',
      'function d',
      '',
    ]);
    expect(exports.filter(({ isValue }) => isValue).map(({ name }) => name)).toEqual(['A', 'C', 'd']);
  });

  test('finds what has no doc comment', () => {
    const exports = read(`
      /** Doc. */
      export declare class A implements C {
        /** Doc. */
        constructor(x: number);
        /** Doc of one overload is enough. */
        d(): void;
        d(x: number): void;
        bare: number;
        g: number;
        h(): void;
      }
      export declare class B {
        constructor(x: number);
      }
      /** @throws a tag alone says too little */
      export interface C {
        /** Doc, also of A.g. */
        g: number;
        /** */
        h(): void;
      }
      /** Doc. */
      export declare const D: { readonly One: 1 };
    `);

    expect(exports.flatMap(({ undocumented }) => undocumented)).toEqual(['A.bare', 'A.h', 'B', 'B.constructor', 'C', 'C.h']);
  });
});

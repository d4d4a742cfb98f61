import { describe, expect, test } from '@jest/globals';

import { entryPoints, programs } from '../scripts/entryPoints.js';
import {
  brokenImports,
  foreignImports,
  foreignPushes,
  foreignWrites,
  forbiddenUses,
  importCycles,
  longFiles,
  marks,
  privateImports,
  storeyOf,
  unreachable,
  upwardImports,
} from './architecture/rules.js';
import { parseModule, readModules, type Module } from './architecture/sourceTree.js';
import { coreStoreys, deterministicWings, forbiddenNames, maxLines, ownedLists, ownedWrites, walStoreys, wings } from './architecture/storeys.js';

const src = readModules('src');
const examples = readModules('examples', 'examples/');
const everything = [...src, ...examples, ...readModules('test', 'test/'), ...readModules('bench', 'bench/')];
/** Entry points as modules: `src/core/index`. */
const entries = entryPoints('.').map(({ source }) => source.replace(/\.ts$/, ''));
const deterministic = src.filter(({ name }) => deterministicWings.some((wing) => name.startsWith(wing)));
const core = src.filter(({ name }) => name.startsWith('core/'));

/** Unfinished work, and checks switched off. Written so that this file does not match itself. */
const unfinished = /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/;
const switchedOff = /\bas [a]ny\b|@ts-[i]gnore|@ts-[e]xpect-error|@ts-[n]ocheck|eslint-[d]isable/;

describe('the house', () => {
  test.each([
    { rule: 'every import finds its module', complaints: () => brokenImports(src) },
    { rule: 'an import inside the core goes to the same storey or down', complaints: () => upwardImports(src, 'core/', coreStoreys) },
    { rule: 'an import inside the write-ahead log likewise', complaints: () => upwardImports(src, 'node/wal/', walStoreys) },
    { rule: 'the storage suite sees nothing of the core but its surface', complaints: () => suiteImports(src) },
    { rule: 'a wing imports only the wings and packages it may', complaints: () => foreignImports(src, wings) },
    { rule: 'no module imports itself by any path', complaints: () => importCycles(src) },
    { rule: 'the core, the codec and the simulator use no clock, chance or host', complaints: () => forbiddenUses(deterministic, forbiddenNames) },
    { rule: 'only transitions.ts writes the role, only progress.ts the progress state', complaints: () => foreignWrites(core, ownedWrites) },
    { rule: 'a message leaves only through the outbox', complaints: () => foreignPushes(core, ownedLists) },
    {
      rule: 'every file is reached from an entry point or a program',
      complaints: () => unreachable(src, [...entries, ...programs('.').map(({ source }) => source.replace(/\.ts$/, ''))].map((entry) => entry.replace(/^src\//, ''))),
    },
    { rule: 'the examples live on the public API alone', complaints: () => privateImports(examples, entries) },
    { rule: `no file is longer than ${maxLines} lines`, complaints: () => longFiles(everything, maxLines) },
    { rule: 'no mark of unfinished work', complaints: () => marks(everything, unfinished) },
    { rule: 'no check is switched off', complaints: () => marks(everything, switchedOff) },
  ])('$rule', ({ complaints }) => {
    expect(complaints()).toEqual([]);
  });

  test('the plan names no module that is gone', () => {
    const names = src.map(({ name }) => name);
    const planned = [...coreStoreys, ...walStoreys].flatMap(({ holds }) => holds);

    expect(planned.filter((plan) => !names.some((name) => name === plan || (plan.endsWith('/') && name.startsWith(plan))))).toEqual([]);
  });
});

/** What the storage suite has no business with: users run it, and it has to work with what they have. */
function suiteImports(modules: readonly Module[]): string[] {
  return modules
    .filter(({ name }) => name.startsWith('node/storageSuite/'))
    .flatMap(({ name, imports }) => imports.filter(({ target }) => target.startsWith('core/') && target !== 'core/index').map(({ target }) => `${name} imports ${target}`));
}

describe('the rules can fail', () => {
  const storeys = [
    { name: 'ground', holds: ['core/types', 'core/raft/raft'] },
    { name: 'first', holds: ['core/raft/'] },
    { name: 'roof', holds: ['core/raft/roles/', 'core/index'] },
  ];
  const twoWings = [
    { folder: 'core/', uses: [], packages: [] },
    { folder: 'node/', uses: ['core/'], packages: ['node:', 'protobufjs'] },
  ];

  test.each([
    { name: 'core/raft/raft', level: 0, why: 'its own row wins over its folder' },
    { name: 'core/raft/step', level: 1, why: 'by its folder' },
    { name: 'core/raft/roles/leader', level: 2, why: 'the longest folder wins' },
    { name: 'core/other', level: -1, why: 'not in the plan' },
  ])('$name stands on $level: $why', ({ name, level }) => {
    expect(storeyOf(name, storeys)).toBe(level);
  });

  test.each([
    { name: 'core/types', text: `import type { A } from './index.js';`, found: ['core/types (ground) imports core/index (roof)'], why: 'up, a type' },
    { name: 'core/raft/raft', text: `export * from './step.js';`, found: ['core/raft/raft (ground) imports core/raft/step (first)'], why: 're-export' },
    { name: 'core/raft/step', text: `import './other.js';`, found: [], why: 'same storey' },
    { name: 'core/index', text: `import '../core/raft/step.js';`, found: [], why: 'down' },
    { name: 'core/lost', text: '', found: ['core/lost stands on no storey'], why: 'unknown file' },
  ])('storeys: $why', ({ name, text, found }) => {
    expect(upwardImports([parseModule(name, text)], 'core/', storeys)).toEqual(found);
  });

  test.each([
    { name: 'core/a', text: `import x from 'protobufjs';`, found: ['core/a imports protobufjs'], why: 'a package in the core' },
    { name: 'core/a', text: `import '../node/b.js';`, found: ['core/a imports node/b'], why: 'up into another wing' },
    { name: 'core/a', text: `const x = import('node:fs');`, found: ['core/a imports node:fs'], why: 'a dynamic import' },
    { name: 'node/a', text: `import 'node:fs'; import 'protobufjs'; import '../core/a.js'; import './b.js';`, found: [], why: 'all allowed' },
    { name: 'other/a', text: '', found: ['other/a is in no wing'], why: 'unknown wing' },
  ])('wings: $why', ({ name, text, found }) => {
    expect(foreignImports([parseModule(name, text)], twoWings)).toEqual(found);
  });

  test('cycles: reported as a path, also through a type', () => {
    const modules = [
      parseModule('a', `import './b.js';`),
      parseModule('b', `import type { C } from './c.js'; import './d.js';`),
      parseModule('c', `import './b.js';`),
      parseModule('d', ''),
    ];

    expect(importCycles(modules)).toEqual(['b -> c -> b']);
    expect(importCycles(modules.slice(0, 2))).toEqual([]);
  });

  test('reach: a module nobody imports is dead, and an import of nothing is broken', () => {
    const modules = [parseModule('index', `export * from './a.js';`), parseModule('a', `import './gone.js';`), parseModule('dead', '')];

    expect(unreachable(modules, ['index'])).toEqual(['dead']);
    expect(brokenImports(modules)).toEqual(['a imports gone']);
  });

  test('examples: a file of src that is no entry point is private', () => {
    const module = parseModule('examples/kv/main', `import '../../src/core/index.js'; import '../../src/core/raft/step.js'; import './help.js';`);

    expect(privateImports([module], ['src/core/index'])).toEqual(['examples/kv/main imports src/core/raft/step']);
  });

  test.each([
    { text: 'const t = Date.now();', found: ['core/x:1 Date'], why: 'a clock' },
    { text: 'const t = new Date();', found: ['core/x:1 Date'], why: 'a constructor' },
    { text: 'const s = `${console}`;', found: ['core/x:1 console'], why: 'inside a template' },
    { text: '\nconst r = Math.random();', found: ['core/x:2 Math.random'], why: 'chance' },
    { text: 'const o = { process };', found: ['core/x:1 process'], why: 'a shorthand is a use' },
    { text: 'const { random } = Math, o = { Date: 1 }, d = a.Date, m = Math.max(1);', found: [], why: 'names of members are not uses' },
    { text: '// Date\n/** console */ const s = "process";', found: [], why: 'comments and strings' },
    { text: 'interface A { process(): void } class B { console = 1; Date() {} }', found: [], why: 'declared members' },
  ])('forbidden names: $why', ({ text, found }) => {
    expect(forbiddenUses([parseModule('core/x', text)], forbiddenNames)).toEqual(found);
  });

  test('forbidden names: the owner may', () => {
    expect(forbiddenUses([parseModule('core/random', 'const r = Math.random;')], forbiddenNames)).toEqual([]);
  });

  test.each([
    { name: 'core/x', text: 'raft.state = 1;', found: ['core/x:1 raft.state ='], why: 'a plain write' },
    { name: 'core/x', text: 'node.raft.state ||= 1;', found: ['core/x:1 node.raft.state ='], why: 'a compound write' },
    { name: 'core/x', text: 'const s = raft.state === 1; class R { state = 0 }', found: [], why: 'reading and declaring' },
    { name: 'core/raft/transitions', text: 'raft.state = 1;', found: [], why: 'the owner' },
  ])('role: $why', ({ name, text, found }) => {
    expect(foreignWrites([parseModule(name, text)], ownedWrites)).toEqual(found);
  });

  test.each([
    { name: 'core/x', text: 'raft.msgs.push(m)', found: ['core/x:1 raft.msgs.push(m)'], why: 'a push' },
    { name: 'core/x', text: 'raft.msgsAfterAppend[0] = m', found: ['core/x:1 raft.msgsAfterAppend[0] = m'], why: 'by index' },
    { name: 'core/x', text: 'const m = raft.msgs; raft.msgs = []; other.push(m); m[0] = 1;', found: [], why: 'taking the list away is no send' },
    { name: 'core/raft/outbox', text: 'raft.msgs.push(m)', found: [], why: 'the owner' },
  ])('outbox: $why', ({ name, text, found }) => {
    expect(foreignPushes([parseModule(name, text)], ownedLists)).toEqual(found);
  });

  test('length: lines are counted as an editor counts them', () => {
    expect(longFiles([parseModule('a', '1\n2\n'), parseModule('b', '1\n2\n3')], 2)).toEqual(['b: 3 lines']);
  });

  test('marks: found with their place', () => {
    const mark = ['TO', 'DO'].join('');

    expect(marks([parseModule('a', `\n// ${mark}: later`), parseModule('b', '// todo list')], unfinished)).toEqual([`a:2 // ${mark}: later`]);
  });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { checkInvariants } from '../../src/core/checkInvariants.js';
import { filesOf } from '../conformance/files.js';
import { lineDiff } from '../support/lineDiff.js';
import type { InteractionEnv } from './interactionEnv.js';
import { runScript, type ScriptRun } from './runScript.js';

const ownScripts = 'test/interaction/testdata';
const sharedScripts = ['../shared/conformance/interaction', '../shared/conformance/random'];
const rewrite = process.env['REWRITE'] === '1';

function checkAll(env: InteractionEnv): void {
  for (const node of env.nodes) checkInvariants(node.rawNode);
}

/** All differences of a run as one text, empty if there are none. */
function differences(file: string, run: ScriptRun): string {
  return run.mismatches
    .map(({ line, command, expected, actual }) => `${file}:${line}: ${command}\n${lineDiff(expected, actual)}`)
    .join('\n\n');
}

describe('own scripts', () => {
  test.each(filesOf(ownScripts, '.txt'))('%s', (file) => {
    const text = readFileSync(file, 'utf8');
    const run = runScript(text, file, checkAll);
    expect(run.commands).toBeGreaterThan(0);
    if (rewrite) {
      if (run.rewritten !== text) writeFileSync(file, run.rewritten);
      return;
    }
    expect(differences(file, run)).toBe('');
  });
});

describe.each(sharedScripts)('%s', (folder) => {
  if (!existsSync(folder)) {
    test.skip(`skipped: ${folder} is not there`, () => {});
    return;
  }
  test.each(filesOf(folder, '.txt'))('%s', (file) => {
    const run = runScript(readFileSync(file, 'utf8'), file, checkAll);
    expect(run.commands).toBeGreaterThan(0);
    expect(differences(file, run)).toBe('');
  });
});

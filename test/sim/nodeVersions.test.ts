import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const minutes = 60_000;
const program = join('build', 'test', 'sim', 'hashes.js');
/** Other versions of Node.js, as paths of their programs. */
const others = (process.env['NODE_ALTERNATIVES'] ?? '').split(delimiter).filter((path) => path !== '');

/** Trace hashes of so many seeds, by another process. */
function hashes(node: string, options: readonly string[], seeds: number, steps: number): readonly string[] {
  return execFileSync(node, [...options, program, `${seeds}`, `${steps}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n');
}

describe('A1: one seed is one run', () => {
  test(
    'also without the compiler',
    () => {
      const expected = hashes(process.execPath, [], 8, 100);

      expect(hashes(process.execPath, ['--jitless'], 8, 100)).toEqual(expected);
      expect(new Set(expected).size).toBe(8);
    },
    minutes,
  );

  if (others.length === 0) {
    test.skip('skipped: NODE_ALTERNATIVES names no other version of Node.js', () => {});
    return;
  }
  test.each(others)(
    'and on %s',
    (node) => {
      const seeds = 300;
      const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
      const expected = hashes(process.execPath, [], seeds, 1000);

      expect(hashes(node, [], seeds, 1000)).toEqual(expected);
      expect(hashes(node, ['--jitless'], 30, 1000)).toEqual(expected.slice(0, 30));
      console.log(`${seeds} seeds have the same trace hashes on ${process.version} and ${version}, 30 of them also without its compiler`);
    },
    5 * minutes,
  );
});

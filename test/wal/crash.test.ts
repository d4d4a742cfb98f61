import { expect, jest, test } from '@jest/globals';
import { announceSeed } from '../support/seededRandom.js';
import { runNode } from '../support/runProgram.js';

/**
 * Goal: nothing that was acknowledged is lost by a loss of power at any moment, and no operator is needed (A15, V1, V7, V8).
 * Method: each scenario of `walWorkloads.ts` is stopped before every operation of the disk; each un-synced sector is
 * then old, new, zero or garbage, each un-synced name there or not. For some images, the same is done to their recovery.
 */
const seed = announceSeed('wal/crash');

// Thousands of logs, on a machine that may be busy.
jest.setTimeout(120_000);

test('A15: ten thousand images of a crash at any moment, nothing is lost', () => {
  const said = runNode(['build/test/wal/crashCli.js', '--share', '2', '--every', '400', '--seed', String(seed)], '.', 110_000);

  console.log(said);
  expect(Number(/^(\d+) images, /m.exec(said)?.[1])).toBeGreaterThanOrEqual(10_000);
});

import { readdirSync } from 'node:fs';
import * as realFs from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, jest, test } from '@jest/globals';

import type { Release } from '../../../src/node/wal/claimSocket.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';

const newDirectory = temporaryDirectories();

/** Where a claim can be made to stand still: after it has looked for the highest number, or before it links its socket as the next. */
type Step = 'look' | 'link';

/** The step at which the next claim stands, and how. */
let stop: { step: Step; stand: () => Promise<void> } | undefined;

async function standAt(step: Step): Promise<void> {
  if (stop?.step !== step) return;
  const { stand } = stop;
  stop = undefined;
  await stand();
}

// The real calls, and the pauses that the system can make between any two of them.
jest.unstable_mockModule('node:fs/promises', () => ({
  ...realFs,
  readdir: async (path: string) => {
    const names = await realFs.readdir(path);
    await standAt('look');
    return names;
  },
  link: async (from: string, to: string) => {
    await standAt('link');
    await realFs.link(from, to);
  },
}));
const { claimDirectory, claimSocketFile } = await import('../../../src/node/wal/socketFileClaim.js');

/** A claim that stands still at a step, and what lets it go on. */
async function slowClaim(dir: string, step: Step): Promise<{ claim: Promise<Release | null>; goOn: () => void }> {
  let goOn = (): void => {};
  let claim: Promise<Release | null> = Promise.resolve(null);
  await new Promise<void>((stands) => {
    const stand = (): Promise<void> =>
      new Promise((resolve) => {
        goOn = resolve;
        stands();
      });
    stop = { step, stand };
    claim = claimSocketFile(dir);
  });
  return { claim, goOn };
}

/** Claims and gives back, which leaves the next number behind. */
async function pass(dir: string): Promise<void> {
  const release = await claimSocketFile(dir);
  if (release === null) throw new Error('the directory is not free');
  await release();
}

describe('the socket file: what happens while a slow process stands between two steps', () => {
  test.each([
    { step: 'look', passes: 0, why: 'its number is taken (EEXIST)' },
    { step: 'look', passes: 1, why: 'its number was given back and removed: its link succeeds, below the owner' },
    { step: 'look', passes: 2, why: 'the same, two numbers below' },
    { step: 'link', passes: 0, why: 'the owner has removed its socket (ENOENT)' },
    { step: 'link', passes: 2, why: 'the same, with a free number' },
  ] as const)('it stands after "$step", $passes come and go, one stays: $why', async ({ step, passes }) => {
    const dir = newDirectory();
    await pass(dir);
    const { claim, goOn } = await slowClaim(dir, step);

    for (let i = 0; i < passes; i++) await pass(dir);
    const owner = await claimSocketFile(dir);
    expect(owner).not.toBeNull();
    goOn();

    expect(await claim).toBeNull();
    // What the slow one leaves behind does not hide the owner.
    expect(await claimSocketFile(dir)).toBeNull();
    await owner?.();
    await pass(dir);
  });

  test.each([
    { step: 'look', passes: 1 },
    { step: 'look', passes: 2 },
    { step: 'link', passes: 1 },
    { step: 'link', passes: 2 },
  ] as const)('it stands after "$step", $passes come and go, nobody stays: it gets the directory', async ({ step, passes }) => {
    const dir = newDirectory();
    await pass(dir);
    const { claim, goOn } = await slowClaim(dir, step);

    for (let i = 0; i < passes; i++) await pass(dir);
    goOn();
    const release = await claim;

    expect(release).not.toBeNull();
    expect(readdirSync(join(dir, claimDirectory))).toEqual([`${passes + 2}`]);
    expect(await claimSocketFile(dir)).toBeNull();
    await release?.();
    await pass(dir);
  });
});

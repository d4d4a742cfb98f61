import { expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { describeLargeLog, useLargeLog } from './largeLog.js';

const newDirectory = temporaryDirectories();

/** Memory that a log takes at most here, in MiB: with 4 MiB of cache and 4 MiB of writes on their way. */
const mostMiB = 128;

test('a log of 512 MiB needs no more memory than one of 160', () => {
  const sizeMiB = 512;
  const figures = useLargeLog(newDirectory(), sizeMiB, announceSeed('wal/largeLog.long'), 5 * 60_000);
  console.log(describeLargeLog(sizeMiB, figures));

  expect(figures.entries).toBe(sizeMiB * 256);
  expect(figures.peakRssMiB).toBeLessThan(figures.rssAtStartMiB + mostMiB);
}, 6 * 60_000);

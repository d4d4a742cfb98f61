import { expect, test } from '@jest/globals';

import { announceSeed } from '../../support/seededRandom.js';
import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { describeLargeLog, useLargeLog } from './largeLog.js';

const newDirectory = temporaryDirectories();

/** Memory that a log takes at most here, in MiB: with 4 MiB of cache and 4 MiB of writes on their way. Less than the log has. */
const mostMiB = 128;

test('a log of 160 MiB needs neither 160 MiB of memory nor more than 64 MiB of heap', () => {
  const sizeMiB = 160;
  const figures = useLargeLog(newDirectory(), sizeMiB, announceSeed('wal/largeLog'), 120_000);
  console.log(describeLargeLog(sizeMiB, figures));

  expect(figures.entries).toBe(sizeMiB * 256);
  expect(figures.peakRssMiB).toBeLessThan(figures.rssAtStartMiB + mostMiB);
}, 130_000);

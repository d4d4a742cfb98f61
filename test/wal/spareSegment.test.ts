import { describe, expect, test } from '@jest/globals';

import { SpareSegment } from '../../src/node/wal/spareSegment.js';
import { SimDisk } from './support/simDisk.js';

const length = 4096;

function spareOn(disk: SimDisk): { spare: SpareSegment; errors: unknown[] } {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  return { spare: new SpareSegment(disk.fs, 'wal', length, note, note), errors };
}

/** Everything that the disk has under way is done. */
const rest = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('SpareSegment', () => {
  // Segments that are removed ask for a spare file as well, and they may do so in the middle of a rotation.
  test.each([
    { needed: length, why: 'the one that was prepared is taken' },
    { needed: 2 * length, why: 'a larger one is made' },
  ])('is asked for while one is being published: $why', async ({ needed }) => {
    const disk = new SimDisk();
    disk.makeDirectory('wal');
    const { spare, errors } = spareOn(disk);
    spare.prepare();

    const taking = spare.take(needed);
    spare.prepare();
    const file = await taking;
    spare.prepare();
    await rest();
    await disk.fs.rename('wal/spare.tmp', 'wal/1.wal');
    spare.published();
    await rest();

    expect(errors).toEqual([]);
    expect(await file.size()).toBe(needed);
    expect(disk.files()).toEqual(['wal/1.wal', 'wal/spare.tmp']);
  });
});

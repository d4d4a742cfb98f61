import { expect, test } from '@jest/globals';
import { readFully, readFullySync, writeFully } from '../../../src/node/shared/fileIo.js';
import type { File } from '../../../src/node/shared/fileSystem.js';
import { instead, MemoryFileSystem } from '../wal/memoryFileSystem.js';

test('the rest is asked for when the system reads and writes less than it was asked to', async () => {
  const file = await new MemoryFileSystem().create('/file');
  const slow = instead<File>(file, {
    read: (target, position) => file.read(target.subarray(0, 3), position),
    readSync: (target, position) => file.readSync(target.subarray(0, 3), position),
    write: (source, position) => file.write(source.subarray(0, 3), position),
  });
  const source = Uint8Array.from({ length: 10 }, (_, i) => i + 1);
  await writeFully(slow, source, 5);

  const target = new Uint8Array(12);
  expect(await readFully(slow, target, 4)).toBe(11);
  expect([...target]).toEqual([0, ...source, 0]);
  target.fill(0);
  expect(readFullySync(slow, target, 4)).toBe(11);
  expect([...target]).toEqual([0, ...source, 0]);
  expect([await readFully(slow, target, 15), readFullySync(slow, target, 99)]).toEqual([0, 0]);
});

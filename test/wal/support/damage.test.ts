import { describe, expect, test } from '@jest/globals';
import * as damage from './damage.js';
import { SimDisk } from './simDisk.js';

const letters = (...counts: number[]): Uint8Array => Buffer.from(counts.map((count, i) => String.fromCharCode(97 + i).repeat(count)).join(''));

/** Files as runs: `a512b100`. */
function picture(disk: SimDisk): Record<string, string> {
  const runs = (path: string) => Buffer.from(disk.readFile(path)).toString('latin1').replace(/(.)\1*/gs, (run) => `${run[0] === '\0' ? '0' : run[0]}${run.length}`);
  return Object.fromEntries(disk.files().map((path) => [path, runs(path)]));
}

function disk(): SimDisk {
  const made = new SimDisk();
  made.writeFile('d/x', letters(512, 512, 100));
  made.writeFile('d/y', letters(3));
  return made;
}

describe('damage', () => {
  test.each<{ what: string; run: (disk: SimDisk) => void; x?: string; y?: string; more?: Record<string, string> }>([
    { what: 'flipBit', run: (d) => damage.flipBit(d, 'd/y', 9), y: 'a1c1a1' },
    { what: 'setByte', run: (d) => damage.setByte(d, 'd/y', 2, 0), y: 'a201' },
    { what: 'overwrite', run: (d) => damage.overwrite(d, 'd/y', 1, Buffer.from('zz')), y: 'a1z2' },
    { what: 'zeroSector', run: (d) => damage.zeroSector(d, 'd/x', 1), x: 'a5120512c100' },
    { what: 'zeroSector, the last', run: (d) => damage.zeroSector(d, 'd/x', 2), x: 'a512b5120100' },
    { what: 'swapSectors', run: (d) => damage.swapSectors(d, 'd/x', 0, 1), x: 'b512a512c100' },
    { what: 'swapSectors, unequal', run: (d) => damage.swapSectors(d, 'd/x', 0, 2), x: 'c100a412b512a100' },
    { what: 'swapSectors, two files', run: (d) => damage.swapSectors(d, 'd/x', 1, 0, 'd/y'), x: 'a515b509c100', y: 'b3' },
    { what: 'truncateFile', run: (d) => damage.truncateFile(d, 'd/x', 513), x: 'a512b1' },
    { what: 'extendFile', run: (d) => damage.extendFile(d, 'd/y', new Uint8Array(7)), y: 'a307' },
    { what: 'cutOut', run: (d) => damage.cutOut(d, 'd/x', 500, 1024), x: 'a500c100' },
    { what: 'repeat', run: (d) => damage.repeat(d, 'd/x', 510, 514), x: 'a512b2a2b512c100' },
    { what: 'duplicateFile', run: (d) => damage.duplicateFile(d, 'd/y', 'd/z'), more: { 'd/z': 'a3' } },
    { what: 'swapFiles', run: (d) => damage.swapFiles(d, 'd/x', 'd/y'), x: 'a3', y: 'a512b512c100' },
  ])('$what', ({ run, x = 'a512b512c100', y = 'a3', more = {} }) => {
    const damaged = disk();
    const before = damaged.fork();
    run(damaged);

    expect(picture(damaged)).toEqual({ 'd/x': x, 'd/y': y, ...more });
    expect(damaged.isSynced).toBe(true);
    expect(picture(before)).toEqual(picture(disk()));
  });

  test('deleteFile', () => {
    const damaged = disk();
    damage.deleteFile(damaged, 'd/x');

    expect(picture(damaged)).toEqual({ 'd/y': 'a3' });
    expect(damaged.isSynced).toBe(true);
  });

  test('restoreSector and restoreFile bring back the past', () => {
    const earlier = disk();
    const damaged = earlier.fork();
    damaged.writeFile('d/x', letters(0, 0, 0, 1100));
    damage.restoreSector(damaged, 'd/x', 1, earlier);
    expect(picture(damaged)['d/x']).toBe('d512b512d76');
    damage.restoreSector(damaged, 'd/x', 2, earlier);
    expect(picture(damaged)['d/x']).toBe('d512b512c76');
    damage.deleteFile(damaged, 'd/y');
    damage.restoreFile(damaged, 'd/y', earlier);
    damage.restoreFile(damaged, 'd/x', earlier);
    expect(picture(damaged)).toEqual(picture(earlier));
  });

  test('what is not there cannot be damaged', () => {
    expect(() => damage.flipBit(disk(), 'd/y', 24)).toThrow(RangeError);
    expect(() => damage.zeroSector(disk(), 'd/y', 1)).toThrow(RangeError);
    expect(() => damage.deleteFile(disk(), 'd/z')).toThrow('no file');
    expect(damage.sectorsOf(disk(), 'd/x')).toBe(3);
  });
});

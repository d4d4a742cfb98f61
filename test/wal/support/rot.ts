import type { RandomSource } from '../../../src/core/random.js';
import { batchesOf } from './corpusLogs.js';
import { cutOut, deleteFile, repeat, restoreFile, restoreSector, sectorsOf, swapFiles, swapSectors, zeroSector } from './damage.js';
import type { DamageTrial, Place } from './damageTrial.js';

/** Where a flipped bit has to be found: in its file, and not behind it. Marks are two, so one may rot; the owner's token is not needed. */
function placeOf(path: string, position: number): Place | undefined {
  if (path.endsWith('.wal')) return { path, atMost: position };
  // Of a snapshot whose lengths are damaged, its end is named.
  return path.endsWith('.snap') ? { path, atMost: Infinity } : undefined;
}

/** Flips every bit of every file; or one bit, which is drawn, of every `step`th byte. */
export async function flipBits(trial: DamageTrial, random: RandomSource | null, step = 1): Promise<void> {
  const { disk } = trial.log;
  for (const path of disk.files()) {
    const { length } = disk.readFile(path);
    for (let position = random === null ? 0 : random(step); position < length; position += step) {
      const bits = random === null ? [0, 1, 2, 3, 4, 5, 6, 7] : [random(8)];
      for (const bit of bits) {
        await trial.damageBytes(`bit ${bit} of ${path}@${position}`, path, (bytes) => void (bytes[position]! ^= 1 << bit), placeOf(path, position));
      }
    }
  }
}

/** Sets every byte, or every `step`th, to 0x00 and to 0xFF. */
export async function setBytes(trial: DamageTrial, step: number): Promise<void> {
  const { disk } = trial.log;
  for (const path of disk.files()) {
    const original = disk.readFile(path);
    for (let position = 0; position < original.length; position += step) {
      for (const value of [0, 0xff]) {
        if (original[position] === value) continue;
        await trial.damageBytes(`${path}@${position} is ${value}`, path, (bytes) => void (bytes[position] = value), placeOf(path, position));
      }
    }
  }
}

/** Zeroes every sector; exchanges every two, also of two files, or every `step`th two; puts back what each one was at an earlier time. */
export async function damageSectors(trial: DamageTrial, step = 1): Promise<void> {
  const { disk, earlier } = trial.log;
  const sectors = disk.files().flatMap((path) => Array.from({ length: sectorsOf(disk, path) }, (_, sector) => ({ path, sector })));
  for (const { path, sector } of sectors) await trial.damage(`sector ${sector} of ${path} is zero`, (copy) => zeroSector(copy, path, sector));
  let count = 0;
  for (const [i, one] of sectors.entries()) {
    for (const other of sectors.slice(i + 1)) {
      if (count++ % step > 0) continue;
      await trial.damage(`sectors ${one.path} ${one.sector} and ${other.path} ${other.sector} exchanged`, (copy) => swapSectors(copy, one.path, one.sector, other.sector, other.path));
    }
  }
  for (const { path, sector } of sectors) {
    for (const [time, before] of earlier.entries()) {
      if (!before.files().includes(path) || sector >= sectorsOf(before, path)) continue;
      await trial.damage(`sector ${sector} of ${path} as at time ${time}`, (copy) => restoreSector(copy, path, sector, before));
    }
  }
}

/** Drops and repeats each batch, and each two neighbours; exchanges each two of one segment. */
export async function damageBatches(trial: DamageTrial): Promise<void> {
  for (const path of trial.log.segments) {
    const batches = batchesOf(trial.log.disk.readFile(path));
    for (const [i, { seq, start, end }] of batches.entries()) {
      await trial.damage(`batch ${seq} of ${path} is gone`, (copy) => cutOut(copy, path, start, end));
      await trial.damage(`batch ${seq} of ${path} is there twice`, (copy) => repeat(copy, path, start, end));
      await trial.damageBytes(`batch ${seq} of ${path} is gone, and zeros are behind`, path, (bytes) => {
        bytes.copyWithin(start, end);
        bytes.fill(0, bytes.length - (end - start));
      });
      await trial.damageBytes(`batch ${seq} of ${path} is zeros`, path, (bytes) => void bytes.fill(0, start, end));
      for (const later of batches.slice(i + 1)) {
        await trial.damageBytes(`batches ${seq} to ${later.seq} of ${path} are gone`, path, (bytes) => {
          bytes.copyWithin(start, later.end);
          bytes.fill(0, bytes.length - (later.end - start));
        });
        await trial.damageBytes(`batches ${seq} and ${later.seq} of ${path} are exchanged`, path, (bytes) => {
          const [one, between, other] = [bytes.slice(start, end), bytes.slice(end, later.start), bytes.slice(later.start, later.end)];
          bytes.set(other, start);
          bytes.set(between, start + other.length);
          bytes.set(one, start + other.length + between.length);
        });
      }
    }
  }
}

/** Exchanges every two files, copies each over each other one, deletes each and each two, and puts back what each one was, alone and two of the same time. */
export async function damageFiles(trial: DamageTrial): Promise<void> {
  const { disk, earlier } = trial.log;
  const files = disk.files();
  for (const [i, path] of files.entries()) {
    await trial.damage(`${path} is deleted`, (copy) => deleteFile(copy, path));
    for (const other of files.slice(i + 1)) {
      await trial.damage(`${path} and ${other} are deleted`, (copy) => {
        deleteFile(copy, path);
        deleteFile(copy, other);
      });
      await trial.damage(`${path} and ${other} are exchanged`, (copy) => swapFiles(copy, path, other));
    }
    for (const other of files) {
      if (other !== path) await trial.damageBytes(`${path} is a copy of ${other}`, path, () => disk.readFile(other));
    }
  }
  for (const [time, before] of earlier.entries()) {
    const old = before.files();
    for (const [i, path] of old.entries()) {
      await trial.damage(`${path} as at time ${time}`, (copy) => restoreFile(copy, path, before));
      for (const other of old.slice(i + 1)) {
        await trial.damage(`${path} and ${other} as at time ${time}`, (copy) => {
          restoreFile(copy, path, before);
          restoreFile(copy, other, before);
        }, { setBack: true });
      }
    }
  }
}

/**
 * Damage to a disk while nothing runs on it, as rot and careless hands do it: durable, and nobody is told. Each
 * function changes the disk it is given; work on a `fork()`. Paths name files that exist, unless it says otherwise.
 */
import { sectorSize } from './content.js';
import type { SimDisk } from './simDisk.js';

function edit(disk: SimDisk, path: string, change: (bytes: Uint8Array) => void): void {
  const bytes = disk.readFile(path);
  change(bytes);
  disk.writeFile(path, bytes);
}

/** Number of sectors of a file; the last one may be shorter. */
export function sectorsOf(disk: SimDisk, path: string): number {
  return Math.ceil(disk.readFile(path).length / sectorSize);
}

function sectorOf(bytes: Uint8Array, sector: number): Uint8Array {
  const found = bytes.subarray(sector * sectorSize, (sector + 1) * sectorSize);
  if (found.length === 0) throw new RangeError(`there is no sector ${sector}`);
  return found;
}

/** Flips bit `bit` of the file, counted from the lowest one of the first byte. */
export function flipBit(disk: SimDisk, path: string, bit: number): void {
  setByte(disk, path, bit >>> 3, (byte) => byte ^ (1 << (bit & 7)));
}

/** Gives a byte another value: a number, or made from the one it has. */
export function setByte(disk: SimDisk, path: string, position: number, value: number | ((byte: number) => number)): void {
  edit(disk, path, (bytes) => {
    const byte = bytes[position];
    if (byte === undefined) throw new RangeError(`there is no byte ${position}`);
    bytes[position] = typeof value === 'number' ? value : value(byte);
  });
}

/** Overwrites bytes from a position on; the file keeps its length. */
export function overwrite(disk: SimDisk, path: string, position: number, source: Uint8Array): void {
  edit(disk, path, (bytes) => bytes.set(source, position));
}

/** Makes a sector zeros. */
export function zeroSector(disk: SimDisk, path: string, sector: number): void {
  edit(disk, path, (bytes) => sectorOf(bytes, sector).fill(0));
}

/** Exchanges two sectors, also of two files. Of sectors of unequal length, only as much as the shorter one holds. */
export function swapSectors(disk: SimDisk, path: string, sector: number, otherSector: number, otherPath = path): void {
  const bytes = disk.readFile(path);
  const otherBytes = otherPath === path ? bytes : disk.readFile(otherPath);
  const one = sectorOf(bytes, sector);
  const other = sectorOf(otherBytes, otherSector);
  const length = Math.min(one.length, other.length);
  const kept = one.slice(0, length);
  one.set(other.subarray(0, length));
  other.set(kept);
  disk.writeFile(path, bytes);
  if (otherBytes !== bytes) disk.writeFile(otherPath, otherBytes);
}

/** Puts back what a sector was on an earlier copy of the disk: a write that was acknowledged and never done. */
export function restoreSector(disk: SimDisk, path: string, sector: number, earlier: SimDisk): void {
  const before = sectorOf(earlier.readFile(path), sector);
  edit(disk, path, (bytes) => {
    const now = sectorOf(bytes, sector);
    now.fill(0).set(before.subarray(0, now.length));
  });
}

/** Puts back what a file was on an earlier copy of the disk; also one that is gone. */
export function restoreFile(disk: SimDisk, path: string, earlier: SimDisk): void {
  disk.writeFile(path, earlier.readFile(path));
}

/** Cuts a file to a length. */
export function truncateFile(disk: SimDisk, path: string, length: number): void {
  disk.writeFile(path, disk.readFile(path).subarray(0, length));
}

/** Puts bytes at the end of a file. */
export function extendFile(disk: SimDisk, path: string, tail: Uint8Array): void {
  const bytes = disk.readFile(path);
  const longer = new Uint8Array(bytes.length + tail.length);
  longer.set(bytes);
  longer.set(tail, bytes.length);
  disk.writeFile(path, longer);
}

/** Takes bytes out of the middle of a file; what follows moves up. */
export function cutOut(disk: SimDisk, path: string, start: number, end: number): void {
  const bytes = disk.readFile(path);
  bytes.copyWithin(start, end);
  disk.writeFile(path, bytes.subarray(0, bytes.length - (end - start)));
}

/** Repeats bytes of a file right behind them; what follows moves down. */
export function repeat(disk: SimDisk, path: string, start: number, end: number): void {
  const bytes = disk.readFile(path);
  const longer = new Uint8Array(bytes.length + end - start);
  longer.set(bytes.subarray(0, end));
  longer.set(bytes.subarray(start), end);
  disk.writeFile(path, longer);
}

/** Takes a file away. */
export function deleteFile(disk: SimDisk, path: string): void {
  disk.remove(path);
}

/** Copies a file to another name, taken or not. */
export function duplicateFile(disk: SimDisk, from: string, to: string): void {
  disk.writeFile(to, disk.readFile(from));
}

/** Exchanges the bytes of two files. */
export function swapFiles(disk: SimDisk, path: string, other: string): void {
  const bytes = disk.readFile(path);
  disk.writeFile(path, disk.readFile(other));
  disk.writeFile(other, bytes);
}

import { isAbsolute, resolve, sep } from 'node:path';
import { inspect } from 'node:util';
import type { Index, Term } from '../../core/types.js';
import { invalidArgument, WalError, WalErrorCode } from './walError.js';

/** Names of the files in a directory. Numbers are padded, so that a listing is in order; they are compared as numbers all the same. */

const digits = 20;
const segmentPattern = /^(\d{20})\.wal$/;
const snapshotPattern = /^(\d{20})-(\d{20})\.snap$/;

/** Tells which owner has the directory. */
export const ownerName = 'LOCK';

/** The two marks. */
export const markNames = ['mark.0', 'mark.1'] as const;

/**
 * Name of a file that is not finished. Nobody else makes one of the same name: of two owners, one of which does
 * not know yet that it is none, each gives its final name to a file of its own.
 *
 * @param tag random, of the owner.
 */
export function temporaryName(what: string, tag: string): string {
  return `${what}-${tag}.tmp`;
}

/** Name of a segment. Its number alone, so that two owners that go on behind the same segment cannot both have the next one. */
export function segmentName(seq: number): string {
  return `${pad(seq)}.wal`;
}

/** Number of a segment by its name; null if it is not the name of one. */
export function segmentSeqOf(name: string): number | null {
  return numberIn(segmentPattern, name);
}

/** Name of the file of a snapshot. */
export function snapshotName(index: Index, term: Term): string {
  return `${pad(index)}-${pad(term)}.snap`;
}

/** Whether it is the name of a snapshot's file. */
export function isSnapshotName(name: string): boolean {
  return snapshotPattern.test(name);
}

/** Whether it claims to be a segment, by a good name or a bad one. */
export function isSegmentLike(name: string): boolean {
  return name.endsWith('.wal');
}

/** Whether it is a file that was not finished, and means nothing. */
export function isTemporary(name: string): boolean {
  return name.endsWith('.tmp');
}

/**
 * A path that names the same directory when the process works in another one.
 *
 * @throws WalError `ERR_WAL_ARGUMENT_INVALID` if it is no path, `ERR_WAL_FAILED` if it is relative to a directory that is gone.
 */
export function absoluteDirectory(dir: string): string {
  if (typeof dir !== 'string' || dir === '' || dir.includes('\0')) throw invalidArgument(`${inspect(dir)} is not the path of a directory`);
  if (process.platform === 'win32') return resolve(dir);
  // Elsewhere `link/..` is the parent of where the link leads, and `resolve` would make it that of the link.
  return isAbsolute(dir) ? dir : `${workingDirectory(dir)}${sep}${dir}`;
}

function workingDirectory(dir: string): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new WalError(WalErrorCode.Failed, `${inspect(dir)} is relative to a working directory that is gone`, { cause });
  }
}

/** Path of a file in a directory. */
export function pathIn(dir: string, name: string): string {
  return `${dir}/${name}`;
}

function pad(value: number): string {
  return String(value).padStart(digits, '0');
}

function numberIn(pattern: RegExp, name: string): number | null {
  const found = pattern.exec(name)?.[1];
  if (found === undefined) return null;
  const value = Number(found);
  return Number.isSafeInteger(value) ? value : null;
}

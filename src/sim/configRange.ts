import { RaftError, RaftErrorCode } from '../core/errors.js';

/** What a value may be. */
export interface Range {
  /** In words, such as `an integer from 1 to 31`. */
  readonly words: string;
  /** Whether a value is in it. */
  holds(value: unknown): boolean;
}

/** Ranges by name, some of them groups of ranges again. */
export interface RangeTable {
  readonly [name: string]: Range | RangeTable;
}

/** Whether an entry of a table is no group. */
export function isRange(entry: Range | RangeTable): entry is Range {
  return typeof entry['holds'] === 'function';
}

/** A whole number. */
export function integer(low: number, high: number): Range {
  return { words: `an integer from ${low} to ${high}`, holds: (value) => Number.isSafeInteger(value) && isBetween(value, low, high) };
}

/** A whole number, or Infinity for no limit. */
export function integerOrInfinity(low: number): Range {
  return { words: `an integer of ${low} or more, or Infinity`, holds: (value) => value === Infinity || (Number.isSafeInteger(value) && isBetween(value, low, Infinity)) };
}

/** Any number between two others. */
export function number(low: number, high: number): Range {
  return { words: `a number from ${low} to ${high}`, holds: (value) => isBetween(value, low, high) };
}

/** Any number, or Infinity for no limit. */
export function numberOrInfinity(low: number): Range {
  return { words: `a number of ${low} or more, or Infinity`, holds: (value) => isBetween(value, low, Infinity) };
}

/** Yes or no. */
export const flag: Range = { words: 'true or false', holds: (value) => typeof value === 'boolean' };

/** Something to call. */
export const callable: Range = { words: 'a function', holds: (value) => typeof value === 'function' };

/** One of some values. */
export function oneOf(values: readonly (string | number)[]): Range {
  return { words: `one of ${values.join(', ')}`, holds: (value) => (values as readonly unknown[]).includes(value) };
}

function isBetween(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && value >= low && value <= high;
}

/** Refuses the value of an option. @throws RaftError `ERR_RAFT_CONFIG_INVALID`. */
export function refuse(message: string): never {
  throw new RaftError(RaftErrorCode.ConfigInvalid, `sim: ${message}`);
}

/** @throws RaftError `ERR_RAFT_CONFIG_INVALID` that names the option, its range and the value, if that is not in the range. */
export function checkRange(name: string, value: unknown, range: Range): void {
  if (!range.holds(value)) refuse(`${name} must be ${range.words}, is ${shown(value)}`);
}

/** Whether a value is an object with values by name. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in an error message. Not every object can be made a string. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}

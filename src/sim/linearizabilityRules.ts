import { describeOp, hasWritten, mayHaveWritten, neverWritten, unknownAnswer, type RegisterOp } from './linearizabilityModel.js';

/**
 * Simple rules that every linearizable history of a register obeys. Each costs O(n log n) at most, is exact
 * in what it refuses, and names what is wrong in words; what they let through may still be wrong.
 *
 * They rest on values that are written once, and say nothing about other histories.
 *
 * @returns what is wrong, or null.
 */
export function findBrokenRule(ops: readonly RegisterOp[]): string | null {
  const writers = writersByValue(ops);
  if (writers === null) return null;
  return readOfNothing(ops, writers) ?? replacedTwice(ops) ?? staleAnswer(ops, writers) ?? toAndFro(ops);
}

/** Who has written, or may have written, each value; null if two operations write the same one. */
function writersByValue(ops: readonly RegisterOp[]): Map<number, RegisterOp> | null {
  const writers = new Map<number, RegisterOp>();
  for (const op of ops) {
    if (op.value === neverWritten) continue;
    if (writers.has(op.value)) return null;
    writers.set(op.value, op);
  }
  return writers;
}

/** Phantoms, and values of the future. */
function readOfNothing(ops: readonly RegisterOp[], writers: ReadonlyMap<number, RegisterOp>): string | null {
  for (const op of ops) {
    if (op.answer === unknownAnswer || op.answer === neverWritten) continue;
    const writer = writers.get(op.answer);
    if (writer === undefined) return `phantom: ${describeOp(op)}, which nobody has written`;
    if (!mayHaveWritten(writer)) return `phantom: ${describeOp(op)}, but ${describeOp(writer)} has not written`;
    if (writer === op || writer.call > op.ret) return `from the future: ${describeOp(op)} is over before ${describeOp(writer)}`;
  }
  return null;
}

/** The chain of values: each is replaced by one write at most, also the first content. */
function replacedTwice(ops: readonly RegisterOp[]): string | null {
  const successors = new Map<number, RegisterOp>();
  for (const op of ops) {
    if (op.answer === unknownAnswer || !hasWritten(op)) continue;
    const other = successors.get(op.answer);
    if (other !== undefined) return `lost write: ${describeOp(op)} and ${describeOp(other)} have both replaced the same value`;
    successors.set(op.answer, op);
  }
  return null;
}

/** A write that is over for certain at some time: it was acknowledged, or its value was seen. */
interface Done {
  readonly op: RegisterOp;
  /** It took effect before this time. */
  readonly by: number;
}

/**
 * Values that were overwritten before the reader began: read-your-writes, monotone reads, and no return to
 * "never written". If a write was over before another one began, and that one took effect before the reader
 * began, then the reader cannot see the first.
 */
function staleAnswer(ops: readonly RegisterOp[], writers: ReadonlyMap<number, RegisterOp>): string | null {
  const by = new Map<RegisterOp, number>();
  for (const op of ops) {
    if (hasWritten(op)) by.set(op, Math.min(op.ret, by.get(op) ?? Infinity));
    const seen = op.answer > neverWritten ? writers.get(op.answer) : undefined;
    if (seen !== undefined && op.ret !== Infinity) by.set(seen, Math.min(op.ret, by.get(seen) ?? Infinity));
  }
  const done: Done[] = [];
  for (const [op, time] of by) done.push({ op, by: time });
  done.sort((a, b) => a.by - b.by);
  // Of the writes that are over by done[i].by, the one that began last.
  const latest: RegisterOp[] = [];
  for (let i = 0; i < done.length; i++) {
    const before = latest[i - 1];
    const { op } = done[i]!;
    latest.push(before !== undefined && before.call > op.call ? before : op);
  }
  for (const op of ops) {
    if (op.answer === unknownAnswer) continue;
    const count = countBefore(done, op.call);
    if (count === 0) continue;
    const newer = latest[count - 1]!;
    if (op.answer === neverWritten) return `stale: ${describeOp(op)}, after ${describeOp(newer)} took effect`;
    const seen = writers.get(op.answer)!;
    if (seen !== newer && (by.get(seen) ?? Infinity) < newer.call) return `stale: ${describeOp(op)}, but ${describeOp(seen)} was replaced by ${describeOp(newer)}`;
  }
  return null;
}

/** How many of the sorted list are over before `time`. */
function countBefore(done: readonly Done[], time: number): number {
  let low = 0;
  let high = done.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (done[middle]!.by < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Everyone who has met one value: who wrote it, and who found it. */
interface Zone {
  readonly value: number;
  /** Earliest answer and latest call of them. */
  from: number;
  to: number;
}

/**
 * A value that comes, goes and comes back. If the earliest answer of those who met a value is before the latest
 * call, the value was there all the time in between: two such times cannot overlap, and no other value can
 * have all of its life inside of one (Gibbons and Korach 1997).
 */
function toAndFro(ops: readonly RegisterOp[]): string | null {
  const zones = zonesOf(ops);
  const lasting = zones.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from);
  for (let i = 1; i < lasting.length; i++) {
    const [before, zone] = [lasting[i - 1]!, lasting[i]!];
    if (zone.from < before.to) return `to and fro: ${describeZone(before)}, and ${describeZone(zone)}`;
  }
  for (const { value, from, to } of zones) {
    if (from < to) continue;
    const around = lasting[countZones(lasting, to) - 1];
    if (around !== undefined && from < around.to) return `to and fro: ${describeZone(around)}, and ${value} came and went between ${to} and ${from}`;
  }
  return null;
}

function zonesOf(ops: readonly RegisterOp[]): Zone[] {
  // Before the first call everybody has met the empty register.
  const zones = new Map<number, Zone>([[neverWritten, { value: neverWritten, from: -Infinity, to: -Infinity }]]);
  const meet = (value: number, { call, ret }: RegisterOp): void => {
    const zone = zones.get(value);
    if (zone === undefined) {
      zones.set(value, { value, from: ret, to: call });
      return;
    }
    zone.from = Math.min(zone.from, ret);
    zone.to = Math.max(zone.to, call);
  };
  for (const op of ops) if (op.answer !== unknownAnswer) meet(op.answer, op);
  for (const op of ops) {
    // Of a write with an unknown outcome only what was seen has happened.
    if (hasWritten(op) || (mayHaveWritten(op) && zones.has(op.value))) meet(op.value, op);
  }
  return [...zones.values()].filter(({ from }) => from !== Infinity);
}

/** How many of the zones, sorted by their beginning, begin before `time`. */
function countZones(zones: readonly Zone[], time: number): number {
  let count = 0;
  while (count < zones.length && zones[count]!.from < time) count++;
  return count;
}

function describeZone({ value, from, to }: Zone): string {
  return `${value === neverWritten ? 'nothing' : value} was there from ${from === -Infinity ? 'the beginning' : from} to ${to}`;
}

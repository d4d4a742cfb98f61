import { expect, test } from '@jest/globals';
import { checkUnstable } from '../../../src/core/log/invariants.js';
import { unknownTerm } from '../../../src/core/log/storageReader.js';
import { Unstable } from '../../../src/core/log/unstable.js';
import { entriesSize, EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { noLimit } from '../../../src/core/types.js';
import { snapshotAt } from '../../support/logBuilders.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';

/** Long enough to be a piece of its own, and too short. */
const lengths = [1, 1, 2, 64, 65, 66, 200, 2000];

interface HandedOut {
  readonly entries: readonly Entry[];
  readonly content: readonly Entry[];
}

/** Whether both hold the same entries; `toEqual` would take seconds for so many. */
function same(found: readonly Entry[], expected: readonly Entry[]): boolean {
  return found.length === expected.length && found.every((entry, i) => entry === expected[i]);
}

/** An Unstable, and what it should hold. */
class Play {
  readonly unstable: Unstable;
  private readonly maxPerWrite: number;
  /** Writes that left something for the next one. */
  parts = 0;
  private readonly random: (bound: number) => number;
  private entries: Entry[] = [];
  private offset = 5;
  private nextToWrite = 5;
  private term = 1;
  private readonly handedOut: HandedOut[] = [];
  /** Appends since anything was read, which is when the pieces are joined. */
  private unread = 0;
  mostUnread = 0;

  constructor(random: (bound: number) => number, maxPerWrite: number) {
    this.random = random;
    this.maxPerWrite = maxPerWrite;
    this.unstable = new Unstable(5, 1, maxPerWrite);
  }

  step(): void {
    switch (this.random(12)) {
      case 0:
        return this.truncate();
      case 1:
        return this.stable();
      case 2:
        return this.read();
      case 3:
        return this.write();
      case 4:
        if (this.random(5) === 0) this.restore();
        return;
      default:
        return this.append();
    }
  }

  private make(first: number): Entry[] {
    const data = new Uint8Array(this.random(30));
    return Array.from({ length: lengths[this.random(lengths.length)]! }, (_, i) => newEntry(EntryType.EntryNormal, data, this.term, first + i));
  }

  /** A follower, sometimes with entries in front that it has, or a leader, whose array is taken over. */
  private append(): void {
    const last = this.offset + this.entries.length - 1;
    const fresh = this.make(last + 1);
    if (this.random(3) === 0) {
      this.unstable.truncateAndAppend(fresh);
      this.handedOut.push({ entries: fresh, content: [...fresh] });
    } else {
      const known = Math.min(this.entries.length, this.random(3));
      const given = this.entries.slice(this.entries.length - known).concat(fresh);
      this.unstable.append(given, known);
      given.length = 0;
    }
    if (this.entries.length === 0) this.nextToWrite = this.offset;
    this.entries = this.entries.concat(fresh);
    this.mostUnread = Math.max(this.mostUnread, ++this.unread);
    expect(this.unstable.lastIndex()).toBe(this.offset + this.entries.length - 1);
    expect(this.unstable.term(this.entries.length - 1)).toBe(this.entries.at(-1)!.term);
    expect(this.unstable.term(this.entries.length)).toBe(unknownTerm);
  }

  private truncate(): void {
    if (this.entries.length === 0) return;
    this.term++;
    const kept = this.random(this.entries.length);
    const fresh = this.make(this.offset + kept);
    this.unstable.truncateAndAppend(fresh);
    this.entries = this.entries.slice(0, kept).concat(fresh);
    this.nextToWrite = Math.min(this.nextToWrite, this.offset + kept);
    this.unread = 0;
  }

  private write(): void {
    const entries = this.unstable.nextEntries();
    const waiting = this.entries.slice(this.nextToWrite - this.offset);
    const isPart = entries.length < waiting.length;
    expect(same(entries, waiting.slice(0, entries.length))).toBe(true);
    expect(entries.length > 0 || waiting.length === 0).toBe(true);
    if (isPart) {
      expect(this.entries.length).toBeGreaterThan(this.maxPerWrite);
      this.parts++;
    }
    this.handedOut.push({ entries, content: [...entries] });
    if (!isPart) this.unread = 0;
    this.nextToWrite += entries.length;
    this.unstable.acceptInProgress(this.nextToWrite - 1);
    // The host has written them, mostly before anything else happens.
    if (isPart && this.random(4) > 0) this.stableUpTo(this.nextToWrite - this.offset);
  }

  private stable(): void {
    const count = this.random(2) === 0 ? this.entries.length : this.random(this.entries.length + 1);
    if (count > 0) this.stableUpTo(count);
  }

  private stableUpTo(count: number): void {
    const { index, term } = this.entries[count - 1]!;
    expect(this.unstable.stableTo(index, term + 1)).toBe(false);
    expect(this.unstable.stableTo(index, term)).toBe(true);
    this.entries = this.entries.slice(count);
    this.offset = index + 1;
    this.nextToWrite = Math.max(this.nextToWrite, this.offset);
    expect(this.unstable.prevTerm).toBe(term);
  }

  private read(): void {
    const length = this.entries.length;
    if (length === 0) return;
    const from = this.random(length);
    const to = from + 1 + this.random(length - from);
    const maxBytes = this.random(2) === 0 ? noLimit : this.random(3000);
    const found = this.unstable.slice(this.offset + from, this.offset + to, maxBytes);
    expect(same(found, this.entries.slice(from, from + found.length))).toBe(true);
    if (found.length > 1) expect(entriesSize(found)).toBeLessThanOrEqual(maxBytes);
    expect(this.unstable.term(from)).toBe(this.entries[from]!.term);
    this.hold(found);
  }

  private restore(): void {
    const index = this.offset + this.entries.length + this.random(5);
    this.unstable.restore(snapshotAt(index, this.term));
    this.entries = [];
    this.offset = this.nextToWrite = index + 1;
    this.unread = 0;
  }

  private hold(entries: readonly Entry[]): void {
    this.handedOut.push({ entries, content: [...entries] });
    this.unread = 0;
  }

  check(): void {
    checkUnstable(this.unstable);
    expect(same(this.unstable.entries, this.entries)).toBe(true);
    expect([this.unstable.offset, this.unstable.nextToWrite, this.unstable.count]).toEqual([this.offset, this.nextToWrite, this.entries.length]);
    for (const { entries, content } of this.handedOut) expect(same(entries, content)).toBe(true);
  }
}

/**
 * Goal: an Unstable that keeps its entries in pieces answers what an array would, and what it handed out
 * never changes. Method: random operations on both; most append, so that many pieces come together before
 * anything reads them. Replay: SEED=17 npm run jest -- unstableModel
 */
test.each([Infinity, 1, 100])('random operations: an Unstable answers what a plain array answers, with at most %d entries a write', (maxPerWrite) => {
  const seed = announceSeed('unstableModel');
  let mostUnread = 0;
  let parts = 0;

  for (let round = 0; round < 60; round++) {
    const play = new Play(seededRandom(seed + round), maxPerWrite);
    const steps = 5 + (round % 40);
    for (let i = 0; i < steps; i++) play.step();
    play.check();
    mostUnread = Math.max(mostUnread, play.mostUnread);
    parts += play.parts;
  }

  // Otherwise hardly anything was ever joined.
  expect(mostUnread).toBeGreaterThan(5);
  if (maxPerWrite === Infinity) expect(parts).toBe(0);
  else expect(parts).toBeGreaterThan(20);
});

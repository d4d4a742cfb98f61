import { expect, test } from '@jest/globals';
import { checkLog } from '../../../src/core/log/invariants.js';
import { RaftLog } from '../../../src/core/log/raftLog.js';
import { silentLogger } from '../../../src/core/logger.js';
import { entriesSize, EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { noLimit, type Index, type Term } from '../../../src/core/types.js';
import { describeLog, entriesFrom, ids, snapshotAt, wholeLog } from '../../support/logBuilders.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { NaiveLog } from './naiveLog.js';

/** What was handed out for writing, and waits for its answer. */
interface Write {
  readonly nodeTerm: Term;
  readonly entries: readonly Entry[];
  readonly snapshot: readonly [Index, Term] | null;
}

/** An array that was handed out, and what was in it then. */
interface HandedOut {
  readonly entries: readonly Entry[];
  readonly content: readonly Entry[];
}

const sizes = [0, 1, 20, 40, 200, noLimit];

/**
 * Goal: RaftLog over a storage that is written late, compacted and replaced answers what a plain array
 * would, and what it handed out never changes.
 * Method: random operations on both, as a node and its storage threads would make them; all answers are
 * compared after each. Replay: SEED=17 npm test -- raftLogModel
 */
class Play {
  private readonly random: (bound: number) => number;
  private storage = new MemoryStorage();
  private log = new RaftLog(this.storage, silentLogger, 300);
  private readonly model = new NaiveLog();
  /** Term of the node: rises with every truncation, as only a new leader truncates. */
  private nodeTerm = 1;
  private writes: Write[] = [];
  private applying: { index: Index; size: number }[] = [];
  private handedOut: HandedOut[] = [];
  /** How often each operation really did something. */
  readonly done = new Map<string, number>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  step(): void {
    const operations = ['append', 'receive', 'receive', 'write', 'write', 'written', 'written', 'commit', 'apply', 'applied', 'compact', 'read', 'read'];
    const operation = this.random(60) === 0 ? this.pick(['restore', 'restart']) : this.pick(operations);
    if (this.perform(operation)) this.done.set(operation, (this.done.get(operation) ?? 0) + 1);
    this.compare();
  }

  private perform(operation: string): boolean {
    switch (operation) {
      case 'append':
        return this.append();
      case 'receive':
        return this.receive();
      case 'write':
        return this.write();
      case 'written':
        return this.written();
      case 'commit':
        return this.commit();
      case 'apply':
        return this.apply();
      case 'applied':
        return this.applied();
      case 'compact':
        return this.compact();
      case 'restore':
        return this.restore();
      case 'restart':
        return this.restart();
      default:
        return this.read();
    }
  }

  /** A leader adds to its log. */
  private append(): boolean {
    const entries = this.make(this.model.last + 1, 1 + this.random(4), [this.nodeTerm]);
    this.model.append(entries);
    expect(this.log.append(entries)).toBe(this.model.last);
    return true;
  }

  /** A leader, often a new one, sends entries that may overlap, conflict or not fit. */
  private receive(): boolean {
    if (this.random(3) === 0) this.nodeTerm++;
    // What is committed never conflicts, so the message starts at the commit at the lowest.
    const prevIndex = this.model.committed + this.random(this.model.last - this.model.committed + 2);
    const known = this.model.term(prevIndex);
    const prevTerm = known >= 0 && this.random(4) > 0 ? known : 1 + this.random(this.nodeTerm);
    const repeated = this.model.slice(prevIndex + 1, Math.max(prevIndex + 1, this.model.last + 1), noLimit) ?? [];
    const same = repeated.slice(0, this.random(repeated.length + 1));
    const fresh = this.make(prevIndex + 1 + same.length, this.random(4), [this.nodeTerm]);
    const entries = same.concat(fresh);
    const commit = this.random(this.model.last + 3);
    // An entry of the same term at the same place is the same entry (Log Matching): a conflict needs a new term.
    if (fresh.length > 0 && fresh[0]!.index <= this.model.last) {
      this.nodeTerm++;
      for (let i = same.length; i < entries.length; i++) {
        entries[i] = newEntry(EntryType.EntryNormal, entries[i]!.data, this.nodeTerm, entries[i]!.index);
      }
    }

    const expected = this.model.maybeAppend(prevIndex, prevTerm, entries, commit);
    expect(this.log.maybeAppend(prevIndex, prevTerm, entries, commit)).toBe(expected);
    entries.length = 0;
    return expected !== -1;
  }

  /** Everything unstable goes to the thread that writes. */
  private write(): boolean {
    const snapshot = this.log.unstable.nextSnapshot();
    const entries = this.log.unstable.nextEntries();
    expect(this.log.unstable.hasNextEntries()).toBe(entries.length > 0);
    expect(this.log.unstable.nextSnapshot() !== null).toBe(snapshot !== null);
    if (snapshot === null && entries.length === 0) return false;
    this.hold(entries);
    this.log.unstable.acceptInProgress(this.log.lastIndex());
    const metadata = snapshot?.metadata;
    this.writes.push({ nodeTerm: this.nodeTerm, entries, snapshot: metadata === undefined ? null : [metadata.index, metadata.term] });
    expect(this.log.unstable.hasNextEntries()).toBe(false);
    expect(this.log.unstable.nextSnapshot()).toBeNull();
    return true;
  }

  /** The oldest write is done; its answer counts only if the term is still the same, as in the raft layer. */
  private written(): boolean {
    const write = this.writes.shift();
    if (write === undefined) return false;
    if (write.snapshot !== null) this.storage.applySnapshot(snapshotAt(...write.snapshot));
    this.storage.append(write.entries);
    const last = write.entries.at(-1);
    if (last !== undefined && write.nodeTerm === this.nodeTerm) {
      this.log.unstable.stableTo(last.index, last.term);
      if (this.model.term(last.index) === last.term) this.model.stable = Math.max(this.model.stable, last.index);
    }
    if (write.snapshot !== null) {
      const [index] = write.snapshot;
      const pending = this.log.unstable.snapshot !== null && this.log.snapshot()?.metadata.index === index;
      this.log.unstable.stableSnapshotTo(index);
      if (pending) {
        this.log.appliedTo(index, 0);
        this.model.applied = index;
      }
    }
    return true;
  }

  private commit(): boolean {
    const index = this.random(this.model.last + 1);
    this.log.commitTo(index);
    const moved = index > this.model.committed;
    if (moved) this.model.committed = index;
    return moved;
  }

  private apply(): boolean {
    const allowUnstable = this.random(2) === 0;
    const entries = this.log.nextCommittedEntries(allowUnstable);
    expect(this.log.hasNextCommittedEntries(allowUnstable)).toBe(entries.length > 0);
    if (entries.length === 0) return false;
    this.hold(entries);
    const last = entries.at(-1)!;
    const limit = allowUnstable ? this.model.committed : Math.min(this.model.committed, this.model.stable);
    expect(entries[0]!.index).toBe(this.log.applying + 1);
    expect(last.index).toBeLessThanOrEqual(limit);
    expect(ids(entries)).toEqual(ids(this.model.slice(entries[0]!.index, last.index + 1, noLimit)));
    const size = entriesSize(entries);
    this.log.acceptApplying(last.index, size, allowUnstable);
    this.applying.push({ index: last.index, size });
    return true;
  }

  private applied(): boolean {
    const done = this.applying.shift();
    // Overtaken by a snapshot: the raft layer reports the size and not an older index.
    if (done === undefined) return false;
    this.model.applied = Math.max(this.model.applied, done.index);
    this.log.appliedTo(this.model.applied, done.size);
    return true;
  }

  /** The host compacts what is applied, at any moment. */
  private compact(): boolean {
    const first = this.storage.firstIndex();
    const bound = Math.min(this.model.applied, this.model.stable, this.storage.lastIndex());
    if (bound < first || this.log.unstable.snapshot !== null) return false;
    const index = first + this.random(bound - first + 1);
    if (index > this.storage.snapshot().metadata.index) this.storage.createSnapshot(index, null, new Uint8Array(0));
    this.storage.compact(index);
    this.model.compacted = index;
    return true;
  }

  private restore(): boolean {
    this.nodeTerm++;
    const index = Math.max(this.model.committed, this.model.last - 2) + 1 + this.random(5);
    const term = 1 + this.random(this.nodeTerm);
    this.log.restore(snapshotAt(index, term));
    this.model.restore(index, term);
    return true;
  }

  /** A clean restart: all is written, then a new log is made on the same storage. */
  private restart(): boolean {
    this.write();
    while (this.writes.length > 0) this.written();
    const { committed } = this.model;
    if (committed > this.storage.lastIndex() || this.storage.lastIndex() !== this.model.last) throw new Error('a write was lost');
    this.log = new RaftLog(this.storage, silentLogger, 300);
    this.log.commitTo(committed);
    this.log.appliedTo(Math.max(this.model.applied, this.log.applied), 0);
    this.model.compacted = this.storage.firstIndex() - 1;
    this.model.stable = this.model.last;
    this.applying = [];
    return true;
  }

  private read(): boolean {
    const { model } = this;
    const lo = Math.max(1, model.compacted - 1 + this.random(model.last - model.compacted + 3));
    const maxBytes = this.pick(sizes);
    const found = this.log.entriesFrom(lo, maxBytes);
    expect(ids(found)).toEqual(lo > model.last ? [] : ids(model.slice(lo, model.last + 1, maxBytes)));
    if (found !== null) this.hold(found);
    if (lo <= model.last) {
      const hi = lo + this.random(model.last + 2 - lo);
      expect(ids(this.log.slice(lo, hi, maxBytes))).toEqual(ids(model.slice(lo, hi, maxBytes)));
    }
    const index = this.random(model.last + 3);
    const term = this.random(this.nodeTerm + 2);
    expect(this.log.findConflictByTerm(index, term)).toEqual(model.findConflictByTerm(index, term));
    return true;
  }

  private compare(): void {
    const { log, model } = this;
    checkLog(log);
    expect([log.lastIndex(), log.committed, log.applied]).toEqual([model.last, model.committed, model.applied]);
    expect(log.firstIndex()).toBe(model.compacted + 1);
    expect(log.lastTerm()).toBe(model.term(model.last));
    for (let index = Math.max(0, model.compacted - 2); index <= model.last + 1; index++) {
      if (log.term(index) !== model.term(index)) {
        throw new Error(`term of ${index} is ${log.term(index)} and should be ${model.term(index)}; ${describeLog(log)}`);
      }
    }
    expect(ids(wholeLog(log))).toEqual(ids(model.slice(model.compacted + 1, model.last + 1, noLimit)));
  }

  /** Fails if an array changed after it was handed out. */
  checkHandedOut(): void {
    for (const { entries, content } of this.handedOut) expect(entries).toEqual(content);
    this.handedOut = [];
  }

  private hold(entries: readonly Entry[]): void {
    if (entries.length > 0) this.handedOut.push({ entries, content: [...entries] });
  }

  private make(first: Index, count: number, terms: readonly Term[]): Entry[] {
    const term = Math.max(this.model.term(Math.min(first - 1, this.model.last)), ...terms);
    return entriesFrom(first, new Array<number>(count).fill(term), new Uint8Array(this.random(30)));
  }

  private pick<T>(choices: readonly T[]): T {
    return choices[this.random(choices.length)]!;
  }
}

test('random operations: RaftLog answers what a plain array answers', () => {
  const seed = announceSeed('raftLogModel');
  const counts = new Map<string, number>();

  for (let round = 0; round < 40; round++) {
    const play = new Play(seed + round);
    for (let i = 0; i < 250; i++) play.step();
    play.checkHandedOut();
    for (const [operation, count] of play.done) counts.set(operation, (counts.get(operation) ?? 0) + count);
  }

  // A run in which an operation never did anything would prove nothing about it.
  const rare = ['append', 'receive', 'write', 'written', 'commit', 'apply', 'applied', 'compact', 'restore', 'restart'].filter(
    (operation) => (counts.get(operation) ?? 0) < 20,
  );
  expect(rare).toEqual([]);
});

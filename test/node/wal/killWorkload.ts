import { createHash } from 'node:crypto';

import type { RandomSource } from '../../../src/core/random.js';
import { EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { newConfState, type HardState, type Snapshot } from '../../../src/core/raftpb/state.js';
import type { Index, Term } from '../../../src/core/types.js';
import type { WalStorage } from '../../../src/node/wal/walStorage.js';
import type { WalWrite } from '../../../src/node/wal/writePlan.js';
import { seededRandom } from '../../support/seededRandom.js';

/** All that a log holds, small enough to be sent: bytes as their fingerprints. */
export interface LogReport {
  readonly hardState: HardState;
  readonly firstIndex: Index;
  /** From `firstIndex` on. */
  readonly entries: readonly EntryReport[];
  readonly snapshot: SnapshotReport;
  readonly metadata: string;
}

/** An entry: term, type and fingerprint of the data. */
export type EntryReport = readonly [term: Term, type: EntryType, data: string];

/** A snapshot; index 0 if there is none. */
export interface SnapshotReport {
  readonly index: Index;
  readonly term: Term;
  /** Fingerprint of data and configuration. */
  readonly content: string;
}

/** What the writer does next. */
export type Op =
  | { readonly kind: 'append'; readonly write: WalWrite }
  /** A snapshot of the own state, and then compaction. */
  | { readonly kind: 'checkpoint'; readonly snapshot: Snapshot; readonly compactTo: Index };

/** Longest data of an entry; the smallest segments are shorter. */
const longestData = 12_000;

/** Fingerprint of some bytes, with their length. */
export function fingerprint(bytes: Uint8Array): string {
  return `${bytes.length}:${createHash('sha1').update(bytes).digest('base64').slice(0, 12)}`;
}

/** Reads everything that a log holds. */
export async function reportOf(log: WalStorage): Promise<LogReport> {
  const snapshot = await log.loadSnapshot();
  const firstIndex = log.firstIndex();
  const entries: EntryReport[] = [];
  for (let index = firstIndex; index <= log.lastIndex(); ) {
    const read = log.entries(index, log.lastIndex() + 1, 4096);
    for (const { term, type, data, index: found } of read) {
      if (found !== index++ || term !== log.term(found)) throw new Error(`at ${index - 1} stands entry ${found} of term ${term}`);
      entries.push([term, type, fingerprint(data)]);
    }
  }
  return { hardState: log.initialState().hardState, firstIndex, entries, snapshot: snapshotReport(snapshot), metadata: fingerprint(log.metadata ?? new Uint8Array(0)) };
}

export function snapshotReport({ data, metadata }: Snapshot): SnapshotReport {
  const { index, term, confState } = metadata;
  return { index, term, content: index === 0 ? '' : `${fingerprint(data)} ${confState.voters.join(',')}` };
}

/**
 * What a log must hold after some operations, and which ones can follow: the same for the writer, who carries them out, and
 * for the driver, who was told nothing but where they began and from which seed.
 */
export class Workload {
  private readonly random: RandomSource;
  hardState: HardState;
  /** Index before the first of `entries`. */
  offset: Index;
  entries: EntryReport[];
  /** Snapshot that came from a leader last, since the beginning. */
  installed: SnapshotReport | null = null;
  metadata: string;
  private lastTerm: Term;
  private lastSnapshot: Index;

  constructor({ hardState, firstIndex, entries, snapshot, metadata }: LogReport, seed: number) {
    this.random = seededRandom(seed);
    this.hardState = hardState;
    this.offset = firstIndex - 1;
    this.entries = [...entries];
    this.metadata = metadata;
    // With nothing behind the snapshot its term is that of the last entry; else it is no higher.
    this.lastTerm = entries[entries.length - 1]?.[0] ?? snapshot.term;
    this.lastSnapshot = snapshot.index;
  }

  get lastIndex(): Index {
    return this.offset + this.entries.length;
  }

  /** Draws an operation and takes it as done. */
  next(): Op {
    const { random } = this;
    const dice = random(100);
    const { commit } = this.hardState;
    if (dice < 55) return this.append(this.draw(this.lastIndex + 1, 1 + random(8)), random(2) === 0 ? this.commitUpTo(8) : null);
    if (dice < 65) return this.append(dice < 60 ? this.draw(this.lastIndex + 1, 1) : [], this.newTerm());
    if (dice < 75 && this.lastIndex > commit + 1) return this.conflict();
    if (dice < 84) return this.append([], this.commitUpTo(this.lastIndex), random(3) === 0);
    if (dice < 87) return this.append([], null, true, this.bytes(1 + random(300)));
    if (dice < 91) return this.install();
    if (commit > this.lastSnapshot + 2) return this.checkpoint(commit);
    return this.append(this.draw(this.lastIndex + 1, 1 + random(2)), this.commitUpTo(this.lastIndex));
  }

  private append(entries: readonly Entry[], hardState: HardState | null, sync = true, metadata: Uint8Array | null = null): Op {
    for (const { index, term, type, data } of entries) {
      if (index <= this.lastIndex) this.entries.length = index - 1 - this.offset;
      this.entries.push([term, type, fingerprint(data)]);
      this.lastTerm = term;
    }
    if (hardState !== null) this.hardState = hardState;
    if (metadata !== null) this.metadata = fingerprint(metadata);
    return { kind: 'append', write: { entries, hardState, sync, metadata } };
  }

  /** A tail that is not committed is replaced by one of a new leader, shorter or longer. */
  private conflict(): Op {
    const { hardState, lastIndex } = this;
    const from = hardState.commit + 1 + this.random(lastIndex - hardState.commit);
    const next = this.newTerm();
    return this.append(this.draw(from, 1 + this.random(5), next.term), next);
  }

  /** The leader sends a snapshot, with or without entries behind it. */
  private install(): Op {
    const index = this.hardState.commit + 1 + this.random(30);
    const next = this.newTerm();
    const snapshot = this.snapshotAt(index, next.term);
    this.offset = index;
    this.entries = [];
    this.lastTerm = next.term;
    this.lastSnapshot = index;
    this.installed = snapshotReport(snapshot);
    const entries = this.draw(index + 1, this.random(3), next.term);
    const { write } = this.append(entries, { ...next, commit: index }) as Extract<Op, { kind: 'append' }>;
    return { kind: 'append', write: { ...write, snapshot } };
  }

  private checkpoint(index: Index): Op {
    this.lastSnapshot = index;
    const term = this.entries[index - this.offset - 1]?.[0];
    if (term === undefined) throw new Error(`entry ${index} is not in the model, from ${this.offset} to ${this.lastIndex}`);
    return { kind: 'checkpoint', snapshot: this.snapshotAt(index, term), compactTo: index - this.random(10) };
  }

  private snapshotAt(index: Index, term: Term): Snapshot {
    const voters = [1, 2, 3].slice(0, 1 + this.random(3));
    return { data: this.bytes(this.random(4) === 0 ? this.random(100_000) : this.random(500)), metadata: { index, term, confState: newConfState({ voters }) } };
  }

  private newTerm(): HardState {
    const { term, commit } = this.hardState;
    return { term: term + 1 + this.random(2), vote: this.random(4), commit };
  }

  private commitUpTo(entries: number): HardState {
    const { term, vote, commit } = this.hardState;
    const most = Math.min(this.lastIndex - commit, entries);
    return { term, vote, commit: commit + this.random(most + 1) };
  }

  private draw(from: Index, count: number, term = Math.max(this.hardState.term, this.lastTerm)): Entry[] {
    const { random } = this;
    return Array.from({ length: count }, (_, i) => {
      const length = random(20) === 0 ? random(longestData) : random(5) === 0 ? 0 : random(300);
      return newEntry(random(10) === 0 ? EntryType.EntryConfChangeV2 : EntryType.EntryNormal, this.bytes(length), term, from + i);
    });
  }

  /** Bytes that no other write has. */
  private bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 1009) new DataView(bytes.buffer).setUint8(i, this.random(256));
    for (let i = 0; i < Math.min(length, 12); i++) bytes[i] = this.random(256);
    return bytes;
  }
}

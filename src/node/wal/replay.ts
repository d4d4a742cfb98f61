import { isEntryType } from '../../core/raftpb/entry.js';
import type { HardState } from '../../core/raftpb/state.js';
import type { EntryId, Index } from '../../core/types.js';
import { aligned, batchHeaderBytes, entryPrefixBytes, recordHeaderBytes, RecordType, snapshotReplacesLog } from './format.js';
import type { LogState } from './logState.js';
import type { FoundBatch } from './segmentScan.js';
import { firstNonZero, readId, readU64, viewOf } from './words.js';

/** A record that breaks a rule. */
export interface ReplayProblem {
  /** Where the record begins in the file. */
  readonly offset: number;
  readonly problem: string;
}

/** Hears of each record, after the state knows it. Offsets are those of the record in the file. */
export interface ReplayListener {
  hardState(state: HardState, offset: number): void;
  entry(index: Index, offset: number, dataBytes: number): void;
  truncate(from: Index, offset: number): void;
  snapshot(id: EntryId, replacesLog: boolean, offset: number): void;
  compact(to: EntryId, offset: number): void;
  metadata(bytes: Uint8Array, offset: number): void;
}

/** Reads the records of whole batches back into a state. */
export class Replay {
  private readonly state: LogState;
  private readonly listener: ReplayListener;
  private bytes: Uint8Array = new Uint8Array(0);
  private view = viewOf(this.bytes);
  /** Set by a Truncate until the entry that must follow. */
  private mustPlace: Index = 0;

  constructor(state: LogState, listener: ReplayListener) {
    this.state = state;
    this.listener = listener;
  }

  /** Reads one batch of the segment in `bytes`. Returns what is wrong with it, or null. */
  batch(bytes: Uint8Array, { start, end, records }: FoundBatch): ReplayProblem | null {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    let at = start + batchHeaderBytes;
    for (let i = 0; i < records; i++) {
      if (at + recordHeaderBytes > end) return { offset: at, problem: 'a record is missing' };
      const bodyBytes = this.view.getUint32(at + 4, true);
      if (at + recordHeaderBytes + bodyBytes > end) return { offset: at, problem: 'a record is longer than its batch' };
      const problem = this.record(at, bodyBytes);
      if (problem !== null) return { offset: at, problem };
      at += aligned(recordHeaderBytes + bodyBytes);
    }
    if (this.mustPlace !== 0) return { offset: at, problem: `the log is cut off at ${this.mustPlace}, and no entry takes its place` };
    if (firstNonZero(bytes, at, end) < end) return { offset: at, problem: 'there is something behind the last record' };
    return null;
  }

  private record(at: number, bodyBytes: number): string | null {
    const { bytes, state, listener } = this;
    const type = bytes[at]!;
    const flags = bytes[at + 1]!;
    const body = at + recordHeaderBytes;
    if (this.mustPlace !== 0 && type !== RecordType.Entry) return `the log is cut off at ${this.mustPlace}, and no entry takes its place`;
    switch (type) {
      case RecordType.Entry:
        return this.entry(at, body, flags, bodyBytes);
      case RecordType.HardState: {
        if (bodyBytes !== 24) return wrongLength;
        const hardState = { term: readU64(this.view, body), vote: readId(this.view, body + 8), commit: readU64(this.view, body + 16) };
        const problem = state.hardStateProblem(hardState);
        if (problem !== null) return problem;
        state.hardState = hardState;
        listener.hardState(hardState, at);
        return null;
      }
      case RecordType.Truncate: {
        if (bodyBytes !== 8) return wrongLength;
        const from = readU64(this.view, body);
        const problem = state.truncateProblem(from);
        if (problem !== null) return problem;
        state.truncate(from);
        this.mustPlace = from;
        listener.truncate(from, at);
        return null;
      }
      case RecordType.Snapshot:
        return this.snapshot(at, body, flags, bodyBytes);
      case RecordType.Compact: {
        if (bodyBytes !== 16) return wrongLength;
        const to = { index: readU64(this.view, body), term: readU64(this.view, body + 8) };
        const problem = state.compactProblem(to);
        if (problem !== null) return problem;
        state.compact(to);
        listener.compact(to, at);
        return null;
      }
      case RecordType.Metadata:
        state.metadata = bytes.slice(body, body + bodyBytes);
        listener.metadata(state.metadata, at);
        return null;
      default:
        return `a record of an unknown type, ${type}`;
    }
  }

  private entry(at: number, body: number, flags: number, bodyBytes: number): string | null {
    const dataBytes = bodyBytes + recordHeaderBytes - entryPrefixBytes;
    if (dataBytes < 0 || !isEntryType(flags)) return wrongLength;
    const index = readU64(this.view, body);
    const term = readU64(this.view, body + 8);
    const problem = this.state.entryProblem(index, term);
    if (problem !== null) return problem;
    this.state.pushEntry(index, term);
    this.mustPlace = 0;
    this.listener.entry(index, at, dataBytes);
    return null;
  }

  private snapshot(at: number, body: number, flags: number, bodyBytes: number): string | null {
    if (bodyBytes !== 16) return wrongLength;
    const { view, state } = this;
    const id = { index: readU64(view, body), term: readU64(view, body + 8) };
    const replacesLog = flags === snapshotReplacesLog;
    const problem = replacesLog ? state.installProblem(id) : state.snapshotProblem(id);
    if (problem !== null) return problem;
    if (replacesLog) state.install(id);
    else state.snapshot = id;
    this.listener.snapshot(id, replacesLog, at);
    return null;
  }
}

const wrongLength = 'a record does not have the length of its type';

import { describe, expect, test } from '@jest/globals';
import { EntryType, newEntry } from '../../../src/core/index.js';
import { BatchBuilder, batchAt, entryCrc } from '../../../src/node/wal/batchBuilder.js';
import { crc32 } from '../../../src/node/shared/crc32.js';
import { crc32c } from '../../../src/node/shared/crc32c.js';
import { BatchFlag, batchHeaderBytes, sectorBytes, snapshotReplacesLog } from '../../../src/node/wal/format.js';
import { LogState } from '../../../src/node/wal/logState.js';
import { Replay, type ReplayListener } from '../../../src/node/wal/replay.js';
import { segmentHeaderSpace } from '../../../src/node/wal/segmentHeader.js';
import { ScanEnd, SegmentScan, walIdLow } from '../../../src/node/wal/segmentScan.js';
import { writeU64 } from '../../../src/node/wal/words.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { entry } from './inspectedLog.js';

const random = seededRandom(announceSeed('batches'));
const idLow = walIdLow(Uint8Array.from({ length: 16 }, () => random(256)));
const start = { firstBatch: 1, previousCrc: 17, walIdLow: idLow };

/** A segment of batches, one for each function, and where they begin. */
function segment(fills: readonly ((builder: BatchBuilder) => void)[], length = 16 * sectorBytes): { bytes: Uint8Array; starts: number[]; end: number } {
  const bytes = new Uint8Array(length);
  const starts: number[] = [];
  let at = segmentHeaderSpace;
  let previousCrc = start.previousCrc;
  const builder = new BatchBuilder();
  for (const [i, fill] of fills.entries()) {
    builder.clear();
    fill(builder);
    const batch = builder.seal({ seq: 1 + i, flags: 0, previousCrc, syncedSeq: i, walIdLow: idLow });
    expect(batch.length).toBe(builder.fileBytes);
    bytes.set(batch, at);
    starts.push(at);
    at += batch.length;
    previousCrc = builder.payloadCrc;
  }
  return { bytes, starts, end: at };
}

/** How many batches are found, and what is said of the rest. */
function scanned(bytes: Uint8Array): { count: number; ending: ScanEnd } {
  const scan = new SegmentScan(bytes, start);
  let count = 0;
  while (scan.next() !== null) count++;
  return { count, ending: scan.ending() };
}

/** Reads the batches back; the records in words, and what is wrong. */
function replayed(bytes: Uint8Array, state = new LogState()): { said: string[]; problem: string | null; offset: number | null } {
  const said: string[] = [];
  const listener: ReplayListener = {
    hardState: ({ term, vote, commit }) => said.push(`hardState ${term} ${vote} ${commit}`),
    entry: (index, offset, dataBytes) => said.push(`entry ${index} ${dataBytes} ${entryCrc(bytes, offset, dataBytes) === new DataView(bytes.buffer).getUint32(offset + 24, true)}`),
    truncate: (from) => said.push(`truncate ${from}`),
    snapshot: ({ index, term }, replacesLog) => said.push(`snapshot ${index} ${term} ${replacesLog}`),
    compact: ({ index, term }) => said.push(`compact ${index} ${term}`),
    metadata: (metadata) => said.push(`metadata ${[...metadata].join()}`),
  };
  const replay = new Replay(state, listener);
  const scan = new SegmentScan(bytes, start);
  for (let batch = scan.next(); batch !== null; batch = scan.next()) {
    const problem = replay.batch(bytes, batch);
    if (problem !== null) return { said, ...problem };
  }
  return { said, problem: null, offset: null };
}

describe('a batch', () => {
  test('every kind of record comes back, in its order', () => {
    const { bytes } = segment([
      (b) => b.hardState({ term: 2, vote: 2n ** 64n - 1n, commit: 0 }),
      (b) => {
        b.entry(entry(1, 1, ''));
        b.entry(newEntry(EntryType.EntryConfChangeV2, new Uint8Array(600), 2, 2));
        b.hardState({ term: 2, vote: 2n ** 64n - 1n, commit: 1 });
        b.metadata(Uint8Array.from([1, 2, 3]));
      },
      (b) => {
        b.truncate(2);
        b.entry(entry(2, 3));
      },
      (b) => b.snapshot({ index: 1, term: 1 }, false),
      (b) => b.compact({ index: 1, term: 1 }),
      (b) => {
        b.snapshot({ index: 7, term: 3 }, true);
        b.entry(entry(8, 4));
      },
      () => undefined,
    ]);
    const state = new LogState();

    expect(replayed(bytes, state)).toEqual({
      said: [
        `hardState 2 ${2n ** 64n - 1n} 0`, 'entry 1 0 true', 'entry 2 600 true', `hardState 2 ${2n ** 64n - 1n} 1`, 'metadata 1,2,3', 'truncate 2', 'entry 2 7 true',
        'snapshot 1 1 false', 'compact 1 1', 'snapshot 7 3 true', 'entry 8 7 true',
      ],
      problem: null,
      offset: null,
    });
    expect(state.summary).toEqual({ hardState: { term: 2, vote: 2n ** 64n - 1n, commit: 1 }, snapshot: { index: 7, term: 3 }, offset: { index: 7, term: 3 }, last: { index: 8, term: 4 } });
    expect(scanned(bytes)).toEqual({ count: 7, ending: ScanEnd.Clean });
  });

  test('begins and ends at sectors, whatever is in it', () => {
    for (const size of [0, 1, 415, 416, 417, 424, 425, 5000, 100_000]) {
      const { starts, end, bytes } = segment([(b) => b.metadata(new Uint8Array(size)), () => undefined], 300 * sectorBytes);
      expect([...starts, end].map((at) => at % sectorBytes)).toEqual([0, 0, 0]);
      expect(scanned(bytes).count).toBe(2);
    }
  });

  test('a builder that is used again leaves nothing of what was in it', () => {
    const builder = new BatchBuilder();
    expect(builder.isEmpty).toBe(true);
    builder.metadata(new Uint8Array(5 << 20).fill(255));
    expect([builder.isEmpty, builder.size > 5 << 20]).toEqual([false, true]);
    builder.seal({ seq: 1, flags: 0, previousCrc: 0, syncedSeq: 0, walIdLow: idLow });
    builder.clear();
    builder.metadata(new Uint8Array(40).fill(255));
    builder.clear();
    expect([builder.isEmpty, builder.size]).toEqual([true, batchHeaderBytes]);
    builder.entry(entry(1, 1, 'a'));
    const seal = { seq: 1, flags: BatchFlag.CleanClose, previousCrc: 5, syncedSeq: 0, walIdLow: idLow };
    const fresh = new BatchBuilder();
    fresh.entry(entry(1, 1, 'a'));

    expect(builder.seal(seal)).toEqual(fresh.seal(seal));
  });

  test('repeats what it does to places in the order of its records', () => {
    const builder = new BatchBuilder();
    builder.snapshot({ index: 4, term: 1 }, true);
    builder.entry(entry(5, 1));
    builder.entry(entry(6, 1));
    builder.truncate(6);
    builder.entry(entry(6, 2));
    builder.snapshot({ index: 5, term: 1 }, false);
    const said: string[] = [];
    builder.placeInto({ reset: (index) => said.push(`reset ${index}`), truncate: (index) => said.push(`truncate ${index}`), place: (first, offsets, from, to) => said.push(...offsets.slice(from, to).map((offset, i) => `place ${first + i} ${offset}`)) });

    expect(said).toEqual(['reset 4', 'place 5 72', 'place 6 112', 'truncate 6', 'place 6 168']);
  });
});

describe('a scan', () => {
  const fill = (index: number) => (b: BatchBuilder): void => b.entry(entry(index, 1, 'x'.repeat(700)));

  test('every flipped bit of the last batch makes it torn, and of an earlier one damaged', () => {
    const { bytes, starts, end } = segment([fill(1), fill(2), fill(3)]);
    const wrong: string[] = [];
    for (let at = segmentHeaderSpace; at < end; at++) {
      const bit = 1 << random(8);
      bytes[at]! ^= bit;
      const number = starts.filter((begin) => begin <= at).length;
      const { count, ending } = scanned(bytes);
      const expected = number === 3 ? ScanEnd.Torn : ScanEnd.Damaged;
      if (count !== number - 1 || ending !== expected) wrong.push(`byte ${at}: ${count} batches, ${ending}`);
      bytes[at]! ^= bit;
    }
    expect(wrong).toEqual([]);
    expect(scanned(bytes)).toEqual({ count: 3, ending: ScanEnd.Clean });
  });

  test('anything behind the last batch is torn, zeros are not', () => {
    const { bytes, end } = segment([fill(1)]);
    for (const at of [end, end + 1, end + 600, bytes.length - 1]) {
      bytes[at] = 1;
      expect(scanned(bytes)).toEqual({ count: 1, ending: ScanEnd.Torn });
      bytes[at] = 0;
    }
    expect(scanned(bytes.subarray(0, end))).toEqual({ count: 1, ending: ScanEnd.Clean });
  });

  test('cut off anywhere, the last batch is torn or gone, never taken for whole', () => {
    const { bytes, starts, end } = segment([fill(1), fill(2)]);
    for (let length = starts[1]!; length < end; length++) {
      const { count, ending } = scanned(bytes.subarray(0, length));
      if (count !== 1 || (ending === ScanEnd.Clean) !== (length === starts[1]!)) throw new Error(`length ${length}: ${count} batches, ${ending}`);
    }
  });

  test('batches of another log, in another order, or twice are not read on', () => {
    const { bytes, starts, end } = segment([fill(1), fill(2), fill(3)]);
    const copy = (from: number, to: number): Uint8Array => {
      const other = bytes.slice();
      other.copyWithin(to, from, from + (end - starts[2]!));
      return other;
    };
    expect(scanned(copy(starts[0]!, starts[1]!))).toEqual({ count: 1, ending: ScanEnd.Damaged });
    expect(scanned(copy(starts[0]!, starts[2]!))).toEqual({ count: 2, ending: ScanEnd.Torn });
    expect(scanned(copy(starts[2]!, starts[1]!))).toEqual({ count: 1, ending: ScanEnd.Damaged });
    const stranger = new SegmentScan(bytes, { ...start, walIdLow: idLow ^ 1n });
    expect(stranger.next()).toBeNull();
    expect(stranger.ending()).toBe(ScanEnd.Torn);
    expect(new SegmentScan(bytes, { ...start, previousCrc: 18 }).next()).toBeNull();
    expect(new SegmentScan(bytes, { ...start, firstBatch: 2 }).next()).toBeNull();
  });

  test('data that look like a batch are not one: half of the id is not in them', () => {
    const inner = segment([fill(9)], 4 * sectorBytes);
    const forged = inner.bytes.slice(inner.starts[0]!);
    new DataView(forged.buffer).setBigUint64(batchAt.walIdLow, 0n, true);
    // So that it lies at a sector, in a batch that is torn.
    const { bytes, starts } = segment([fill(1), (b) => b.metadata(Uint8Array.from([...new Uint8Array(sectorBytes - batchHeaderBytes - 8), ...forged]))]);
    bytes[starts[1]! + 4]! ^= 1;

    expect(scanned(bytes)).toEqual({ count: 1, ending: ScanEnd.Torn });
  });
});

/** One batch of raw records: type, flags, body; its checksums are right. */
function rawBatch(records: readonly { type: number; flags?: number; body: Uint8Array; claims?: number }[], count = records.length): Uint8Array {
  // Written over: what matters is the room.
  const { bytes } = segment([(b) => b.metadata(new Uint8Array(1000))]);
  const view = new DataView(bytes.buffer);
  const begin = segmentHeaderSpace + batchHeaderBytes;
  const end = segmentHeaderSpace + batchHeaderBytes + view.getUint32(segmentHeaderSpace + batchAt.payloadBytes, true);
  bytes.fill(0, begin, end);
  let at = begin;
  for (const { type, flags = 0, body, claims } of records) {
    bytes[at] = type;
    bytes[at + 1] = flags;
    view.setUint32(at + 4, claims ?? body.length, true);
    bytes.set(body, at + 8);
    at += (8 + body.length + 7) & ~7;
  }
  return reseal(bytes, count);
}

/** Puts right checksums on what stands in the first batch. */
function reseal(bytes: Uint8Array, count: number): Uint8Array {
  const view = new DataView(bytes.buffer);
  view.setUint32(segmentHeaderSpace + batchAt.records, count, true);
  const end = segmentHeaderSpace + batchHeaderBytes + view.getUint32(segmentHeaderSpace + batchAt.payloadBytes, true);
  view.setUint32(segmentHeaderSpace + batchAt.payloadCrc, crc32(bytes, start.previousCrc, segmentHeaderSpace + batchHeaderBytes, end), true);
  view.setUint32(segmentHeaderSpace + batchAt.headerCrc, crc32c(bytes, 0, segmentHeaderSpace + batchAt.seq, segmentHeaderSpace + batchHeaderBytes), true);
  return bytes;
}

/** Numbers, each as a u64. */
function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  values.forEach((value, i) => writeU64(new DataView(bytes.buffer), 8 * i, value));
  return bytes;
}

describe('replay refuses', () => {
  const entryBody = (index: number, term: number): Uint8Array => Uint8Array.from([...words(index, term), 0, 0, 0, 0, 0, 0, 0, 0]);
  const one = { type: 2, body: entryBody(1, 1) };
  const two = { type: 2, body: entryBody(2, 1) };

  test.each([
    { why: 'an unknown type', records: [{ type: 9, body: words() }], problem: 'a record of an unknown type, 9' },
    { why: 'a record of nothing but zeros', records: [{ type: 0, body: words() }], problem: 'a record of an unknown type, 0' },
    { why: 'a short hard state', records: [{ type: 1, body: words(1, 1) }], problem: 'a record does not have the length of its type' },
    { why: 'a long hard state', records: [{ type: 1, body: words(1, 1, 0, 0) }], problem: 'a record does not have the length of its type' },
    { why: 'an entry without room for its checksum', records: [{ type: 2, body: words(1, 1) }], problem: 'a record does not have the length of its type' },
    { why: 'an entry of no type', records: [{ ...one, flags: 3 }], problem: 'a record does not have the length of its type' },
    { why: 'a short truncation', records: [one, { type: 3, body: new Uint8Array(4) }], problem: 'a record does not have the length of its type' },
    { why: 'a short snapshot', records: [one, { type: 4, body: words(1) }], problem: 'a record does not have the length of its type' },
    { why: 'a long compaction', records: [one, { type: 5, body: words(1, 1, 1) }], problem: 'a record does not have the length of its type' },
    { why: 'a record that is longer than its batch', records: [{ type: 6, body: words(), claims: 5000 }], problem: 'a record is longer than its batch' },
    { why: 'a truncation that nothing follows', records: [one, two, { type: 3, body: words(2) }], problem: 'the log is cut off at 2, and no entry takes its place' },
    { why: 'a truncation that something else follows', records: [one, two, { type: 3, body: words(2) }, { type: 1, body: words(1, 0, 0) }], problem: 'the log is cut off at 2, and no entry takes its place' },
    { why: 'a hard state that breaks a rule', records: [{ type: 1, body: words(2, 0, 0) }, { type: 1, body: words(1, 0, 0) }], problem: 'the term goes from 2 back to 1' },
    { why: 'an entry that breaks a rule', records: [two], problem: 'entry 2 does not follow the last one, 0' },
    { why: 'a truncation that breaks a rule', records: [one, { type: 3, body: words(2) }], problem: 'the log from 1 to 1 cannot be cut off at 2' },
    { why: 'a snapshot that breaks a rule', records: [one, { type: 4, body: words(2, 1) }], problem: 'a snapshot at 2 lies outside of the log, from 0 to 1' },
    { why: 'a snapshot of a leader that breaks a rule', records: [one, { type: 1, body: words(1, 0, 1) }, { type: 4, flags: snapshotReplacesLog, body: words(0, 1) }], problem: 'a snapshot at 0 is not newer than what is there, at 0' },
    { why: 'a compaction that breaks a rule', records: [one, { type: 5, body: words(1, 1) }], problem: 'the log cannot be compacted up to 1: the newest snapshot is at 0' },
  ])('$why', ({ records, problem }) => {
    expect(replayed(rawBatch(records)).problem).toBe(problem);
  });

  test('fewer or more records than the batch says', () => {
    expect(replayed(rawBatch([one], 0)).problem).toBe('there is something behind the last record');
    const { bytes } = segment([(b) => b.metadata(new Uint8Array(456))]);
    expect(replayed(reseal(bytes, 2)).problem).toBe('a record is missing');
  });
});

import assert from 'node:assert/strict';
import {
  entrySize,
  EntryType,
  isRaftError,
  MessageType,
  newConfState,
  newEntry,
  newMessage,
  noLimit,
  RaftErrorCode,
  RawNode,
  StateType,
  type Entry,
  type HardState,
  type Index,
  type Message,
  type Snapshot,
  type Storage,
  type Term,
} from '../../core/index.js';

/** A storage together with the ways to fill it. A method may return a promise; reading must not. */
export interface StorageUnderTest {
  /** What is read from. */
  readonly storage: Storage;
  /** Makes entries durable; where they overlap the log, they replace its end. */
  append(entries: readonly Entry[]): void | Promise<void>;
  /** Makes the hard state durable. */
  setHardState(hardState: HardState): void | Promise<void>;
  /** Makes a received snapshot durable, in place of the whole log. */
  applySnapshot(snapshot: Snapshot): void | Promise<void>;
  /** Discards the entries up to `index`, after making a snapshot there if the storage needs one. */
  compact(index: Index): void | Promise<void>;
  /** Called at the end of each test. */
  close?(): void | Promise<void>;
}

/** What the suite runs in and on. */
export interface StorageSuiteOptions {
  /** Registers a test; that of jest, node:test, vitest or mocha will do. */
  readonly test: (name: string, run: () => Promise<void>) => void;
  /** Makes a storage that never was used before. */
  readonly factory: () => StorageUnderTest | Promise<StorageUnderTest>;
}

/**
 * The contract of {@link Storage} as tests: any implementation can run it.
 *
 *     storageSuite({ test, factory: () => new MyStorageUnderTest() });
 */
export function storageSuite({ test, factory }: StorageSuiteOptions): void {
  const check = (name: string, run: (under: StorageUnderTest) => Promise<void>): void => {
    test(name, async () => {
      const under = await factory();
      try {
        await run(under);
      } finally {
        await under.close?.();
      }
    });
  };
  checkStart(check);
  checkReading(check);
  checkWriting(check);
  checkCompaction(check);
  checkSnapshots(check);
}

type Check = (name: string, run: (under: StorageUnderTest) => Promise<void>) => void;

function checkStart(check: Check): void {
  check('a new storage is empty, and its log starts at 1', async ({ storage }) => {
    const { hardState, confState } = storage.initialState();

    assert.deepEqual(hardState, { term: 0, vote: 0, commit: 0 });
    assert.deepEqual(confState, newConfState());
    assert.deepEqual(bounds(storage), [1, 0]);
    assert.equal(storage.term(0), 0, 'the position before the first entry has term 0');
    assertThrows(() => storage.term(1), RaftErrorCode.Unavailable);
    assertThrows(() => storage.entries(1, 2, noLimit), RaftErrorCode.Unavailable);
  });

  check('the hard state is the one saved last, and independent of the log', async (under) => {
    await under.setHardState({ term: 3, vote: 2, commit: 0 });
    await under.append(run(1, [1, 3]));
    await under.setHardState({ term: 4, vote: 0xffff_ffff_ffff_fff0n, commit: 2 });

    assert.deepEqual(under.storage.initialState().hardState, { term: 4, vote: 0xffff_ffff_ffff_fff0n, commit: 2 });
    assert.deepEqual(bounds(under.storage), [1, 2]);
  });
}

function checkReading(check: Check): void {
  check('entries come back as they were appended', async (under) => {
    const data = Uint8Array.from([0, 1, 255]);
    const entries = [
      newEntry(EntryType.EntryNormal, data, 1, 1),
      newEntry(EntryType.EntryConfChange, data, 1, 2),
      newEntry(EntryType.EntryConfChangeV2, new Uint8Array(0), Number.MAX_SAFE_INTEGER - 1, 3),
    ];
    await under.append(entries);

    const found = under.storage.entries(1, 4, noLimit);

    assert.deepEqual(found.map(plain), entries.map(plain));
  });

  check('term and entries answer within their ranges, and say why not outside of them', async (under) => {
    await under.applySnapshot(snapshot(3, 3));
    await under.append(run(4, [4, 5, 6]));
    const { storage } = under;

    assert.deepEqual(bounds(storage), [4, 6]);
    assert.deepEqual([storage.term(3), storage.term(4), storage.term(6)], [3, 4, 6]);
    assertThrows(() => storage.term(2), RaftErrorCode.Compacted);
    assertThrows(() => storage.term(7), RaftErrorCode.Unavailable);
    assert.deepEqual(ids(storage.entries(4, 5, noLimit)), ['4/4']);
    assert.deepEqual(ids(storage.entries(5, 7, noLimit)), ['5/5', '6/6']);
    assertThrows(() => storage.entries(3, 5, noLimit), RaftErrorCode.Compacted);
    assertThrows(() => storage.entries(6, 8, noLimit), RaftErrorCode.Unavailable);
  });

  check('E12: as many entries as fit, but at least one', async (under) => {
    const entries = run(1, [1, 1, 1, 1]);
    await under.append(entries);
    const size = entrySize(entries[0]!);
    const rows: readonly [number, number, string][] = [
      [0, 1, 'the first comes through whatever the limit'],
      [size - 1, 1, 'too small even for the first'],
      [size, 1, 'exactly one'],
      [2 * size - 1, 1, 'a byte short of two'],
      [2 * size, 2, 'exactly two'],
      [4 * size - 1, 3, 'a byte short of all'],
      [4 * size, 4, 'exactly all'],
      [noLimit, 4, 'no limit'],
    ];

    for (const [maxBytes, count, why] of rows) {
      assert.equal(under.storage.entries(1, 5, maxBytes).length, count, `limit ${maxBytes}: ${why}`);
    }
    assert.deepEqual(ids(under.storage.entries(3, 5, 0)), ['3/1'], 'the limit starts to count at lo');
  });

  check('to ask for what is no index does no harm', async (under) => {
    await under.append(run(1, [1, 2, 2]));
    await under.compact(1);
    const { storage } = under;

    for (const odd of [NaN, 2.5, Infinity, undefined, null] as number[]) {
      for (const ask of [() => storage.entries(odd, 4, noLimit), () => storage.entries(2, odd, noLimit), () => storage.entries(2, 4, odd), () => storage.term(odd)]) {
        try {
          ask();
        } catch {
          // No answer is laid down, but an error is a good one.
        }
      }
    }

    assert.deepEqual(bounds(storage), [2, 3]);
    assert.deepEqual(ids(storage.entries(2, 4, noLimit)), ['2/2', '3/2']);
    await under.append(run(4, [3]));
    assert.equal(storage.term(4), 3);
  });

  check('what was handed out does not change when the storage does', async (under) => {
    await under.append(run(1, [1, 1, 1]));
    const found = under.storage.entries(1, 4, noLimit);

    await under.append(run(2, [2, 2, 2]));
    await under.compact(2);
    await under.applySnapshot(snapshot(9, 3));

    assert.deepEqual(ids(found), ['1/1', '2/1', '3/1']);
  });
}

function checkWriting(check: Check): void {
  const rows: readonly { at: Index; terms: readonly Term[]; expected: readonly string[]; why: string }[] = [
    { at: 6, terms: [5], expected: ['4/4', '5/5', '6/5'], why: 'directly behind the end' },
    { at: 5, terms: [6], expected: ['4/4', '5/6'], why: 'replaces the last' },
    { at: 4, terms: [6], expected: ['4/6'], why: 'V7: the old tail behind the new entries is gone' },
    { at: 4, terms: [4], expected: ['4/4'], why: 'V7: it is gone even if the entry is the same' },
    { at: 4, terms: [4, 6, 6], expected: ['4/4', '5/6', '6/6'], why: 'replaces and extends' },
    { at: 2, terms: [2, 3, 4, 6], expected: ['4/4', '5/6'], why: 'what is compacted is skipped' },
    { at: 2, terms: [2, 3], expected: ['4/4', '5/5'], why: 'nothing that is not compacted: no effect' },
    { at: 6, terms: [], expected: ['4/4', '5/5'], why: 'no entries: no effect' },
  ];
  for (const { at, terms, expected, why } of rows) {
    check(`append of terms [${terms.join(' ')}] at ${at}: ${why}`, async (under) => {
      await under.applySnapshot(snapshot(3, 3));
      await under.append(run(4, [4, 5]));

      await under.append(run(at, terms));

      const { storage } = under;
      assert.deepEqual(ids(storage.entries(4, storage.lastIndex() + 1, noLimit)), expected);
      assert.deepEqual(bounds(storage), [4, 3 + expected.length]);
      assertThrows(() => storage.term(storage.lastIndex() + 1), RaftErrorCode.Unavailable);
    });
  }

  check('append that would leave a gap is refused, and changes nothing', async (under) => {
    await under.append(run(1, [1, 1]));

    await assert.rejects(async () => {
      await under.append(run(4, [1]));
    });

    assert.deepEqual(bounds(under.storage), [1, 2]);
  });
}

function checkCompaction(check: Check): void {
  check('compaction moves the first index and leaves the rest as it was', async (under) => {
    await under.append(run(1, [1, 2, 3, 4, 5]));
    const { storage } = under;

    await under.compact(3);

    assert.deepEqual(bounds(storage), [4, 5]);
    assert.equal(storage.term(3), 3, 'the term before the first entry stays known');
    assertThrows(() => storage.term(2), RaftErrorCode.Compacted);
    assertThrows(() => storage.entries(3, 5, noLimit), RaftErrorCode.Compacted);
    assert.deepEqual(ids(storage.entries(4, 6, noLimit)), ['4/4', '5/5']);
  });

  check('a log compacted to its end is empty, and goes on from there', async (under) => {
    await under.append(run(1, [1, 2, 2]));
    const { storage } = under;

    await under.compact(3);

    assert.deepEqual(bounds(storage), [4, 3]);
    assert.equal(storage.term(3), 2);
    await under.append(run(4, [3]));
    assert.deepEqual(ids(storage.entries(4, 5, noLimit)), ['4/3']);
  });
}

function checkSnapshots(check: Check): void {
  check('a received snapshot replaces the log, longer or shorter', async (under) => {
    await under.append(run(1, [1, 1, 1, 1]));
    const { storage } = under;

    await under.applySnapshot(snapshot(2, 2));

    assert.deepEqual(bounds(storage), [3, 2]);
    assert.equal(storage.term(2), 2);
    assert.deepEqual(storage.initialState().confState, snapshot(2, 2).metadata.confState);
    assert.deepEqual(storage.snapshot().metadata, snapshot(2, 2).metadata);
    assert.deepEqual([...storage.snapshot().data], [...snapshot(2, 2).data]);

    await under.applySnapshot(snapshot(20, 5));

    assert.deepEqual(bounds(storage), [21, 20]);
    assert.equal(storage.term(20), 5);
    assertThrows(() => storage.term(19), RaftErrorCode.Compacted);
  });

  check('a snapshot that is not newer is refused, and changes nothing', async (under) => {
    await under.applySnapshot(snapshot(5, 2));
    await under.append(run(6, [2]));

    for (const index of [4, 5]) {
      await assert.rejects(async () => {
        await under.applySnapshot(snapshot(index, 2));
      });
    }

    assert.deepEqual(bounds(under.storage), [6, 6]);
  });

  check('a node that runs on it is elected, replicates, and sends what it has compacted', async (under) => {
    await under.applySnapshot(snapshot(5, 2));
    await under.append(run(6, [2, 3, 3]));
    await under.setHardState({ term: 3, vote: 0, commit: 6 });
    await under.compact(6);
    const node = new RawNode({ id: 1, storage: under.storage, applied: 6, preVote: false });
    const sent: Message[] = [];
    const settle = async (): Promise<void> => {
      while (node.hasReady()) {
        const ready = node.ready();
        await under.append(ready.entries);
        if (ready.hardState !== null) await under.setHardState(ready.hardState);
        sent.push(...ready.messages);
        node.advance(ready);
      }
    };
    const answer = async (from: number, type: MessageType, fields: Partial<Message>): Promise<void> => {
      node.step(Object.assign(newMessage(type, 1), { from, term: 4 }, fields));
      await settle();
    };

    node.campaign();
    await settle();
    await answer(2, MessageType.MsgVoteResp, {});

    assert.equal(node.basicStatus().state, StateType.Leader);
    assert.deepEqual(ids(under.storage.entries(7, 10, noLimit)), ['7/3', '8/3', '9/4']);
    sent.length = 0;
    await answer(2, MessageType.MsgAppResp, { reject: true, index: 8, rejectHint: 6, logTerm: 2 });
    const append = sent.find(({ type, to }) => type === MessageType.MsgApp && to === 2);
    assert.deepEqual([append?.index, append?.logTerm, ids(append?.entries ?? [])], [6, 2, ['7/3', '8/3', '9/4']]);
    sent.length = 0;
    await answer(3, MessageType.MsgAppResp, { reject: true, index: 8, rejectHint: 0, logTerm: 0 });
    // It may be on its way from the disk, and then nothing is sent yet.
    for (const { snapshot: found } of sent.filter(({ type }) => type === MessageType.MsgSnap)) assert.ok(found !== null && found.metadata.index >= 5);
  });
}

function run(first: Index, terms: readonly Term[]): Entry[] {
  return terms.map((term, i) => newEntry(EntryType.EntryNormal, Uint8Array.from([term]), term, first + i));
}

function snapshot(index: Index, term: Term): Snapshot {
  const confState = newConfState({ voters: [1, 2, 3], learners: [4] });
  return { data: Uint8Array.from([index]), metadata: { confState, index, term } };
}

function bounds(storage: Storage): [Index, Index] {
  return [storage.firstIndex(), storage.lastIndex()];
}

function ids(entries: readonly Entry[]): string[] {
  return entries.map((entry) => `${entry.index}/${entry.term}`);
}

// A storage may give back a Buffer where a Uint8Array went in.
function plain(entry: Entry): unknown {
  return { ...entry, data: [...entry.data] };
}

function assertThrows(call: () => unknown, code: RaftErrorCode): void {
  assert.throws(call, (error) => isRaftError(error, code));
}

import assert from 'node:assert/strict';
import { EntryType, isRaftError, newConfState, newEntry, noLimit, RaftErrorCode, type Entry, type Index, type Snapshot, type Term } from '../../core/index.js';
import type { DurableLog, LogWrite } from '../shared/durableLog.js';
import { afterAppend, afterCompaction, afterSnapshot, assertContent, contentOf, emptyContent, snapshotOf } from './logModel.js';
import { checkRandomOperations } from './randomOperations.js';

/** A log together with the ways to lose and find it. */
export interface DurableLogUnderTest {
  /** A log that never was used before. */
  readonly log: DurableLog;
  /** Opens what a log has left that was closed. */
  reopen(): Promise<DurableLog>;
  /**
   * Ends the log as it is, without closing it and whatever it may be doing, as the end of its process would; then
   * opens what it has left. If it cannot be given, logs are closed instead, which proves less.
   */
  kill?(): Promise<DurableLog>;
  /** Called at the end of each test, after the log was closed. */
  end?(): void | Promise<void>;
}

/** What the suite runs in and on. */
export interface DurableLogSuiteOptions {
  /** Registers a test; that of jest, node:test, vitest or mocha will do. */
  readonly test: (name: string, run: () => Promise<void>) => void;
  /** Makes a log. */
  readonly factory: () => DurableLogUnderTest | Promise<DurableLogUnderTest>;
  /** Seed of the random operations. Default: a new one each time. */
  readonly seed?: number;
  /** Number of random operations. Default 300. */
  readonly operations?: number;
  /** Is told the seed. Default: `console.log`. */
  readonly print?: (line: string) => void;
}

/**
 * The contract of {@link DurableLog} as tests, beyond that of `Storage` (`storageSuite`): what is acknowledged is
 * there after a restart, whole, in order, and nothing else is.
 *
 *     durableLogSuite({ test, factory: async () => ({ log: await make(dir), reopen: () => open(dir) }) });
 */
export function durableLogSuite({ test, factory, seed = Math.floor(Math.random() * 2 ** 31), operations = 300, print = console.log }: DurableLogSuiteOptions): void {
  const check: Check = (name, run) => {
    test(name, async () => {
      const subject = new Subject(await factory());
      try {
        await run(subject);
      } finally {
        await subject.end();
      }
    });
  };
  checkRestart(check);
  checkOrder(check);
  checkConflicts(check);
  checkRefusals(check);
  checkSnapshots(check);
  checkClosing(check);
  check('random operations leave what a model of the log has', (subject) => {
    print(`durableLogSuite: seed ${seed}`);
    return checkRandomOperations(subject, seed, operations);
  });
}

/** The log that is open right now. */
export class Subject {
  /** The log. */
  log: DurableLog;
  readonly #under: DurableLogUnderTest;
  #open = true;

  constructor(under: DurableLogUnderTest) {
    this.#under = under;
    this.log = under.log;
  }

  /** Closes the log and opens it again. */
  async reopen(): Promise<void> {
    await this.close();
    this.log = await this.#under.reopen();
    this.#open = true;
  }

  /** Ends the log without a warning, and opens it again. */
  async kill(): Promise<void> {
    if (this.#under.kill === undefined) return this.reopen();
    this.#open = false;
    this.log = await this.#under.kill();
    this.#open = true;
  }

  /** Closes the log. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.log.close();
  }

  /** Ends the test. */
  async end(): Promise<void> {
    await this.close();
    await this.#under.end?.();
  }
}

type Check = (name: string, run: (subject: Subject) => Promise<void>) => void;

const votersOf3 = newConfState({ voters: [1, 2, 3], learners: [0xffff_ffff_ffff_fffen] });

function checkRestart(check: Check): void {
  for (const how of ['reopen', 'kill'] as const) {
    const after = how === 'reopen' ? 'a restart' : 'the end of the process';

    check(`${after}: term, vote, commit index and entries are those that were acknowledged`, async (subject) => {
      const writes: LogWrite[] = [
        { hardState: { term: 1, vote: 0xffff_ffff_ffff_fff0n, commit: 0 } },
        { entries: [0, 1, 7, 8, 511, 512, 513, 70_000].map((size, i) => newEntry(EntryType.EntryNormal, pattern(size), 1, 1 + i)), hardState: { term: 1, vote: 0xffff_ffff_ffff_fff0n, commit: 3 } },
        { entries: [newEntry(EntryType.EntryConfChange, pattern(3), 2, 9), newEntry(EntryType.EntryConfChangeV2, pattern(4), Number.MAX_SAFE_INTEGER - 1, 10)] },
        { hardState: { term: 7, vote: 2, commit: 9 } },
      ];
      for (const write of writes) await subject.log.append(write);
      const expected = writes.reduce(afterAppend, emptyContent);
      await assertContent(subject.log, expected);

      await subject[how]();
      await assertContent(subject.log, expected);
      await subject[how]();
      await assertContent(subject.log, expected, 'after the second time');
    });

    check(`${after}: a log that was never written to is empty`, async (subject) => {
      await subject[how]();

      await assertContent(subject.log, emptyContent);
    });

    check(`${after}: the log goes on where it ended`, async (subject) => {
      let expected = emptyContent;
      for (let round = 0; round < 4; round++) {
        const write = { entries: run(1 + 3 * round, [1, 1, 1]), hardState: { term: 1, vote: 1, commit: 3 * round } };
        await subject.log.append(write);
        expected = afterAppend(expected, write);
        await subject[how]();
        await assertContent(subject.log, expected);
      }
    });
  }
}

function checkOrder(check: Check): void {
  check('a write can be read as soon as the call returns', async ({ log }) => {
    const write = { entries: run(1, [1, 1]), hardState: { term: 1, vote: 1, commit: 2 } };
    const written = log.append(write);
    const found = [log.lastIndex(), log.initialState().hardState];
    await written;

    assert.deepEqual(found, [2, write.hardState]);
    assert.equal(log.term(2), 1);
    assert.equal(log.entries(1, 3, noLimit).length, 2);
  });

  check('calls need not wait for one another, and are acknowledged in their order', async (subject) => {
    const order: number[] = [];
    let expected = emptyContent;
    const calls = Array.from({ length: 100 }, (_, i) => {
      const write = { entries: run(i + 1, [1]), hardState: { term: 1, vote: 1, commit: i } };
      expected = afterAppend(expected, write);
      return subject.log.append(write).then(() => order.push(i));
    });
    await Promise.all(calls);

    assert.deepEqual(order, Array.from({ length: 100 }, (_, i) => i));
    await subject.kill();
    await assertContent(subject.log, expected);
  });

  check('a write is there as a whole or not at all, and none without those before it', async (subject) => {
    const contents = [emptyContent];
    let acknowledged = 0;
    const pending: Promise<unknown>[] = [];
    for (let i = 0; i < 60; i++) {
      const write = { entries: run(2 * i + 1, [1 + i, 1 + i]), hardState: { term: 1 + i, vote: 1, commit: 2 * i } };
      contents.push(afterAppend(contents[i]!, write));
      pending.push(subject.log.append(write).then(() => (acknowledged = i + 1), () => undefined));
      // Some are on their way when the process ends, some wait, some are done.
      if (i % 20 === 19) await pending[i - 15];
    }
    const least = acknowledged;
    await subject.kill();
    await Promise.all(pending);

    const left = await contentOf(subject.log);
    const count = left.entries.length / 2;
    assert.ok(count >= least, `${least} were acknowledged, and ${count} are there`);
    assert.deepEqual(left, contents[count]);
  });

  check('a write that nobody waits for can be read at once, and is durable with the next one that somebody waits for', async (subject) => {
    const first = { entries: run(1, [1, 1, 1]), hardState: { term: 1, vote: 1, commit: 0 } };
    const hint = { hardState: { term: 1, vote: 1, commit: 2 }, sync: false };
    await subject.log.append(first);
    await subject.log.append(hint);
    assert.equal(subject.log.initialState().hardState.commit, 2);
    const second = { entries: run(4, [1]) };
    await subject.log.append(second);

    await subject.kill();

    await assertContent(subject.log, [first, hint, second].reduce(afterAppend, emptyContent));
  });

  check('a write that nobody waits for is durable once the log is closed', async (subject) => {
    const writes = [{ entries: run(1, [1, 1]), sync: false }, { hardState: { term: 1, vote: 0, commit: 1 }, sync: false }];
    for (const write of writes) await subject.log.append(write);

    await subject.reopen();

    await assertContent(subject.log, writes.reduce(afterAppend, emptyContent));
  });

  check('an empty write is acknowledged once everything before it is durable', async (subject) => {
    const write = { entries: run(1, [1]), hardState: { term: 1, vote: 1, commit: 1 }, sync: false };
    void subject.log.append(write);
    await subject.log.append({});

    await subject.kill();

    await assertContent(subject.log, afterAppend(emptyContent, write));
  });
}

function checkConflicts(check: Check): void {
  check('V7: entries that replace the end leave nothing of the old one, after any number of restarts', async (subject) => {
    const old = { entries: run(1, [1, 1, 1, 1, 1, 1, 1, 1]), hardState: { term: 1, vote: 1, commit: 3 } };
    const shorter = { entries: run(5, [2]), hardState: { term: 2, vote: 0, commit: 3 } };
    const longer = { entries: run(4, [3, 3, 3]), hardState: { term: 3, vote: 2, commit: 4 } };
    let expected = emptyContent;
    for (const write of [old, shorter, longer]) {
      await subject.log.append(write);
      expected = afterAppend(expected, write);
      await assertContent(subject.log, expected);
      await subject.kill();
      await assertContent(subject.log, expected);
    }

    const next = { entries: run(7, [3]) };
    await subject.log.append(next);
    await subject.reopen();
    await assertContent(subject.log, afterAppend(expected, next));
  });

  check('V7: replaced once more before it was written', async (subject) => {
    const writes: LogWrite[] = [{ entries: run(1, [1, 1, 1, 1]) }, { entries: run(3, [2, 2]) }, { entries: run(2, [3]) }, { entries: run(3, [3]) }, { entries: run(3, [4, 4, 4]) }];
    await Promise.all(writes.map((write) => subject.log.append(write)));

    await subject.kill();

    await assertContent(subject.log, writes.reduce(afterAppend, emptyContent));
  });
}

function checkRefusals(check: Check): void {
  const start: LogWrite = { snapshot: leaderSnapshot(4, 2), entries: run(5, [2, 3, 3, 3]), hardState: { term: 3, vote: 2, commit: 6 } };
  const rows: readonly { readonly why: string; readonly write: LogWrite }[] = [
    { why: 'entries that leave a gap', write: { entries: run(10, [3]) } },
    { why: 'entries that are not contiguous', write: { entries: [...run(9, [3]), ...run(11, [3])] } },
    { why: 'entries whose terms go down', write: { entries: run(9, [4, 3]) } },
    { why: 'an entry with a lower term than the one before it', write: { entries: run(9, [2]) } },
    { why: 'entries in place of committed ones', write: { entries: run(6, [4]) } },
    { why: 'a term that goes down', write: { hardState: { term: 2, vote: 2, commit: 6 } } },
    { why: 'another vote in the same term', write: { hardState: { term: 3, vote: 1, commit: 6 } } },
    { why: 'a vote that is taken back', write: { hardState: { term: 3, vote: 0, commit: 6 } } },
    { why: 'a commit index that goes down', write: { hardState: { term: 3, vote: 2, commit: 5 } } },
    { why: 'a snapshot that is not newer', write: { snapshot: leaderSnapshot(4, 2) } },
    { why: 'a good entry with a bad hard state', write: { entries: run(9, [3]), hardState: { term: 1, vote: 0, commit: 6 } } },
    { why: 'a good hard state with a bad entry', write: { entries: run(20, [9]), hardState: { term: 9, vote: 1, commit: 7 } } },
  ];
  for (const { why, write } of rows) {
    check(`refused, and nothing changed: ${why}`, async (subject) => {
      await subject.log.append(start);
      const expected = afterAppend(emptyContent, start);

      await assert.rejects(() => subject.log.append(write));
      await assertContent(subject.log, expected);
      const next = { entries: run(9, [3]) };
      await subject.log.append(next);
      await subject.kill();
      await assertContent(subject.log, afterAppend(expected, next));
    });
  }
}

function checkSnapshots(check: Check): void {
  check('a snapshot of a leader replaces the log, and what comes with it follows', async (subject) => {
    const writes: LogWrite[] = [
      { entries: run(1, [1, 1, 1, 1, 1, 1]), hardState: { term: 1, vote: 1, commit: 2 } },
      { snapshot: leaderSnapshot(4, 2), hardState: { term: 2, vote: 0, commit: 4 } },
      { snapshot: leaderSnapshot(9, 2, 3000), entries: run(10, [2, 3]), hardState: { term: 3, vote: 0, commit: 10 } },
    ];
    let expected = emptyContent;
    for (const write of writes) {
      await subject.log.append(write);
      expected = afterAppend(expected, write);
      await subject.kill();
      await assertContent(subject.log, expected);
    }
  });

  check('a snapshot of the own state, compaction, and what they leave', async (subject) => {
    let expected = afterAppend(emptyContent, { entries: run(1, [1, 1, 2, 2, 2]), hardState: { term: 2, vote: 1, commit: 4 } });
    await subject.log.append({ entries: run(1, [1, 1, 2, 2, 2]), hardState: { term: 2, vote: 1, commit: 4 } });
    await subject.log.createSnapshot(3, votersOf3, pattern(1000));
    expected = afterSnapshot(expected, 3, votersOf3, pattern(1000));
    await subject.kill();
    await assertContent(subject.log, expected, 'the log stays as it is');

    await subject.log.compact(2);
    expected = afterCompaction(expected, 2);
    await subject.kill();
    await assertContent(subject.log, expected, 'compacted, less far than the snapshot');
    assert.throws(() => subject.log.term(1), (error) => isRaftError(error, RaftErrorCode.Compacted));

    await subject.log.compact(3);
    await subject.log.createSnapshot(4, newConfState({ voters: [2] }), new Uint8Array(0));
    expected = afterSnapshot(afterCompaction(expected, 3), 4, newConfState({ voters: [2] }), new Uint8Array(0));
    await subject.reopen();
    await assertContent(subject.log, expected, 'a snapshot without data');
  });

  check('snapshots and compactions that make no sense are refused, and change nothing', async (subject) => {
    const write = { snapshot: leaderSnapshot(4, 2), entries: run(5, [2, 2, 2]), hardState: { term: 2, vote: 0, commit: 6 } };
    await subject.log.append(write);
    const expected = afterAppend(emptyContent, write);

    await assert.rejects(() => subject.log.createSnapshot(4, votersOf3, pattern(1)), 'not newer');
    await assert.rejects(() => subject.log.createSnapshot(3, votersOf3, pattern(1)), 'older');
    await assert.rejects(() => subject.log.createSnapshot(8, votersOf3, pattern(1)), 'behind the last entry');
    await assert.rejects(() => subject.log.compact(5), 'no snapshot covers it');
    await assert.rejects(() => subject.log.compact(4), 'done before');
    for (const index of [NaN, 4.5, Infinity, -1, undefined, '4', 4n] as number[]) {
      await assert.rejects(() => subject.log.createSnapshot(index, votersOf3, pattern(1)), `a snapshot at ${String(index)}`);
      await assert.rejects(() => subject.log.compact(index), `compacting to ${String(index)}`);
    }
    await assertContent(subject.log, expected);
    await subject.kill();
    await assertContent(subject.log, expected);
  });

  check('V17: a large snapshot comes back whole, at once or a little later', async (subject) => {
    const large = leaderSnapshot(4, 2, 3 << 20);
    await subject.log.append({ snapshot: large });
    await subject.reopen();

    const { data, metadata } = await snapshotOf(subject.log);
    assert.deepEqual(metadata, large.metadata);
    assert.equal(Buffer.compare(data, large.data), 0);
  });

  check('appends go on while a snapshot is made', async (subject) => {
    const first = { entries: run(1, [1, 1, 1]), hardState: { term: 1, vote: 1, commit: 3 } };
    await subject.log.append(first);
    const making = subject.log.createSnapshot(2, votersOf3, pattern(200_000));
    const second = { entries: run(4, [1, 1]), hardState: { term: 1, vote: 1, commit: 4 } };
    await subject.log.append(second);
    await making;

    await subject.kill();
    await assertContent(subject.log, afterSnapshot(afterAppend(afterAppend(emptyContent, first), second), 2, votersOf3, pattern(200_000)));
  });
}

function checkClosing(check: Check): void {
  check('close makes durable what still waits', async (subject) => {
    const writes: LogWrite[] = [1, 2, 3].map((index) => ({ entries: run(index, [1]) }));
    const pending = writes.map((write) => subject.log.append(write));
    await subject.close();
    await Promise.all(pending);

    await subject.reopen();
    await assertContent(subject.log, writes.reduce(afterAppend, emptyContent));
  });

  check('close carries out what was asked for before it', async (subject) => {
    const { log } = subject;
    const first = { entries: run(1, [1, 1, 1]), hardState: { term: 1, vote: 1, commit: 3 } };
    await log.append(first);
    await log.createSnapshot(2, votersOf3, pattern(10));

    const second = { entries: run(4, [1]), sync: false };
    const asked = [log.compact(2), log.createSnapshot(3, votersOf3, pattern(3000)), log.append(second)];
    await subject.close();
    await Promise.all(asked);

    await subject.reopen();
    await assertContent(subject.log, afterAppend(afterSnapshot(afterCompaction(afterSnapshot(afterAppend(emptyContent, first), 2, votersOf3, pattern(10)), 2), 3, votersOf3, pattern(3000)), second));
  });

  check('after close every call is refused', async (subject) => {
    const { log } = subject;
    await log.append({ entries: run(1, [1]), hardState: { term: 1, vote: 1, commit: 1 } });
    await subject.close();

    await assert.rejects(() => log.append({ entries: run(2, [1]) }));
    await assert.rejects(() => log.append({}));
    await assert.rejects(() => log.createSnapshot(1, votersOf3, pattern(1)));
    await assert.rejects(() => log.compact(1));
    for (const read of [() => log.initialState(), () => log.entries(1, 2, noLimit), () => log.term(1), () => log.firstIndex(), () => log.lastIndex(), () => log.snapshot()]) assert.throws(read);
    await subject.reopen();
    assert.equal(subject.log.lastIndex(), 1);
  });
}

function run(first: Index, terms: readonly Term[]): Entry[] {
  return terms.map((term, i) => newEntry(EntryType.EntryNormal, Uint8Array.from([term, first + i]), term, first + i));
}

function leaderSnapshot(index: Index, term: Term, size = 5): Snapshot {
  return { data: pattern(size), metadata: { index, term, confState: votersOf3 } };
}

/** Bytes of which none is where it could be by accident. */
function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8) * 7 + size) & 0xff);
}

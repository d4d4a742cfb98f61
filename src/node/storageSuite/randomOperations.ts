import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { EntryType, newConfState, newEntry, type ConfState, type Entry, type HardState, type RandomSource, type Snapshot } from '../../core/index.js';
import type { DurableLog, LogWrite } from '../shared/durableLog.js';
import { afterAppend, afterCompaction, afterSnapshot, assertContent, contentOf, emptyContent, lastIndexOf, termOf, type LogContent } from './logModel.js';
import { randomSource } from './randomSource.js';

/** The log that is worked on, and the ways to lose it. */
export interface RandomSubject {
  /** The log that is open right now. */
  readonly log: DurableLog;
  /** Closes it and opens it again. */
  reopen(): Promise<void>;
  /** Ends it without a warning and opens it again. */
  kill(): Promise<void>;
}

/**
 * Does what a host may do, in any order, and compares the log with a model of it after each step. When the process
 * is killed with writes on their way, the log has to be what it was after one of the calls, and not before the last
 * one that was acknowledged.
 */
export async function checkRandomOperations(subject: RandomSubject, seed: number, operations: number): Promise<void> {
  const run = new RandomRun(subject, randomSource(seed));
  for (let step = 0; step < operations; step++) {
    try {
      await run.step();
    } catch (error) {
      throw new Error(`seed ${seed}, step ${step} (${run.doing}): ${(error as Error).message}`, { cause: error });
    }
  }
}

class RandomRun {
  /** What is being done, for a person. */
  doing = '';
  private readonly subject: RandomSubject;
  private readonly random: RandomSource;
  /** What the log was after each call since the last one that is known to be durable; the last one is what it is now. */
  private contents: LogContent[] = [emptyContent];
  /** How many of `contents` are known to be durable, less one. */
  private durable = 0;
  private pending: Promise<void>[] = [];

  constructor(subject: RandomSubject, random: RandomSource) {
    this.subject = subject;
    this.random = random;
  }

  private get content(): LogContent {
    return this.contents[this.contents.length - 1]!;
  }

  async step(): Promise<void> {
    const { random } = this;
    const choice = random(100);
    if (choice < 60) await this.append(random(3) > 0);
    else if (choice < 70) await this.refused();
    else if (choice < 78) await this.createSnapshot();
    else if (choice < 86) await this.compact();
    else if (choice < 90) await this.restart();
    else if (choice < 94) await this.kill();
    else {
      this.doing = 'wait';
      await this.settle();
    }
  }

  private async append(wait: boolean): Promise<void> {
    const write = this.randomWrite();
    this.doing = `append ${JSON.stringify(write, (key, value: unknown) => (key === 'data' || typeof value === 'bigint' ? undefined : value))}`;
    const { log } = this.subject;
    const call = log.append(write);
    this.contents.push(afterAppend(this.content, write));
    assert.equal(log.lastIndex(), lastIndexOf(this.content));
    if (write.sync !== false) {
      const base = this.contents;
      const number = this.contents.length - 1;
      this.pending.push(
        call.then(() => {
          // A call of a log that was killed since then says nothing about this one.
          if (this.contents === base) this.durable = Math.max(this.durable, number);
        }),
      );
    }
    if (wait) await call;
    await assertContent(log, this.content);
  }

  /** A write with one thing wrong: nothing of it is done. */
  private async refused(): Promise<void> {
    const { hardState } = this.content;
    const last = lastIndexOf(this.content);
    const { log } = this.subject;
    const write = this.randomWrite();
    const bad: LogWrite[] = [
      { ...write, snapshot: null, entries: [this.entry(last + 2, termOf(this.content, last))] },
      { ...write, hardState: { ...hardState, term: hardState.term - 1 } },
      { ...write, hardState: { ...hardState, commit: hardState.commit - 1 } },
    ];
    const chosen = bad[this.random(bad.length)]!;
    this.doing = 'a bad write';
    await assert.rejects(() => log.append(chosen));
    await assertContent(log, this.content);
  }

  private async createSnapshot(): Promise<void> {
    const { hardState, snapshot, offset } = this.content;
    const lowest = Math.max(snapshot.index + 1, offset.index);
    if (lowest > hardState.commit) return;
    const index = lowest + this.random(hardState.commit - lowest + 1);
    const confState = this.confState();
    const data = this.bytes(2000);
    this.doing = `createSnapshot ${index}`;
    await this.subject.log.createSnapshot(index, confState, data);
    this.contents.push(afterSnapshot(this.content, index, confState, data));
    await this.settle();
  }

  private async compact(): Promise<void> {
    const { snapshot, offset } = this.content;
    if (snapshot.index <= offset.index) return;
    const index = offset.index + 1 + this.random(snapshot.index - offset.index);
    this.doing = `compact ${index}`;
    await this.subject.log.compact(index);
    this.contents.push(afterCompaction(this.content, index));
    await this.settle();
  }

  private async restart(): Promise<void> {
    this.doing = 'reopen';
    await this.subject.reopen();
    await this.settled();
    await assertContent(this.subject.log, this.content);
  }

  private async kill(): Promise<void> {
    this.doing = 'kill';
    const { contents, durable } = this;
    await this.subject.kill();
    const left = await contentOf(this.subject.log);
    let at = contents.length - 1;
    while (at >= 0 && !isDeepStrictEqual(contents[at], left)) at--;
    if (at < 0) assert.deepEqual(left, this.content, 'the log is not what it was after any of the calls');
    assert.ok(at >= durable, `the log is what it was after call ${at}, and call ${durable} was acknowledged`);
    this.contents = [left];
    this.durable = 0;
    await Promise.allSettled(this.pending);
    this.pending = [];
  }

  /** Waits for everything, and forgets what was before. */
  private async settle(): Promise<void> {
    await this.subject.log.append({});
    await this.settled();
    await assertContent(this.subject.log, this.content);
  }

  private async settled(): Promise<void> {
    await Promise.all(this.pending);
    this.pending = [];
    this.contents = [this.content];
    this.durable = 0;
  }

  private randomWrite(): LogWrite {
    const { random } = this;
    const { commit } = this.content.hardState;
    const snapshot = random(12) === 0 ? this.snapshot() : null;
    const offset = snapshot === null ? this.content.offset : snapshot.metadata;
    const last = snapshot === null ? lastIndexOf(this.content) : snapshot.metadata.index;
    const lowest = snapshot === null ? Math.max(commit, this.content.snapshot.index, offset.index) + 1 : last + 1;
    // Usually at the end, sometimes in place of what is there, sometimes with what is compacted before it.
    const first = random(4) === 0 ? lowest + random(last + 2 - lowest) : last + 1;
    const termBefore = first - 1 === offset.index ? offset.term : termOf(this.content, first - 1);
    const term = Math.max(termBefore, this.content.hardState.term) + (random(6) === 0 ? 1 : 0);
    const entries: Entry[] = [];
    for (let count = random(5); count > 0; count--) entries.push(this.entry(first + entries.length, term));
    const end = entries.length > 0 ? first + entries.length - 1 : last;
    return {
      snapshot,
      entries,
      hardState: entries.length > 0 || random(2) === 0 || snapshot !== null ? this.hardState(term, Math.max(commit, snapshot?.metadata.index ?? 0), end) : null,
      sync: random(4) > 0,
    };
  }

  private hardState(term: number, commit: number, last: number): HardState {
    const { hardState } = this.content;
    const vote = term === hardState.term && hardState.vote !== 0 ? hardState.vote : [0, 1, 2, 0xffff_ffff_ffff_fff0n][this.random(4)]!;
    return { term, vote, commit: commit + this.random(last - commit + 1) };
  }

  private snapshot(): Snapshot {
    const { hardState, snapshot, offset } = this.content;
    const index = Math.max(hardState.commit, snapshot.index + 1, offset.index + 1) + this.random(6);
    return { data: this.bytes(2000), metadata: { index, term: hardState.term, confState: this.confState() } };
  }

  private entry(index: number, term: number): Entry {
    const type = [EntryType.EntryNormal, EntryType.EntryNormal, EntryType.EntryConfChange, EntryType.EntryConfChangeV2][this.random(4)]!;
    return newEntry(type, this.bytes([8, 200, 1500][this.random(3)]!), term, index);
  }

  private bytes(most: number): Uint8Array {
    return Uint8Array.from({ length: this.random(most) }, () => this.random(256));
  }

  private confState(): ConfState {
    return newConfState({ voters: [1 + this.random(5)], learners: [10 + this.random(5)] });
  }
}

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { temporaryDirectories } from '../../support/temporaryDirectory.js';
import { trace, whyNotTraced, type Call } from './systemCalls.js';

const program = fileURLToPath(new URL('./programs/tracedWriter.js', import.meta.url));
const newDirectory = temporaryDirectories();
const whyNot = whyNotTraced();
if (whyNot !== null) console.log(`the order of system calls is not checked: ${whyNot}`);

/**
 * Goal (A21): what is acknowledged was made durable before, in the order that recovery relies on.
 * Method: one run of a real writer under strace. For each step all calls on the files of the log are compared with
 * what they must be, and none may begin before the one before it has ended.
 */
(whyNot === null ? describe : describe.skip)('the system calls of the log', () => {
  let calls: Call[] = [];
  beforeAll(() => {
    const base = newDirectory();
    calls = trace(program, join(base, 'log'), join(base, 'trace'));
  }, 150_000);

  /** Calls whose place says nothing: marks that nobody waits for, and what is read. */
  const isNoise = (text: string): boolean => text.endsWith(' mark') || text.startsWith('read ');

  /** The calls of a step, without noise, and without the making of the next spare segment, which goes on beside it. */
  function callsOf(step: string, isLeftOut = isNoise): string[] {
    const begin = place(`begin ${step}`);
    const end = place(`done ${step}`);
    const own = calls.slice(begin + 1, end + 1).filter((call) => !isLeftOut(call.text) && !isOfSpare(call, calls.slice(begin, end)));
    for (let i = 1; i < own.length; i++) {
      if (own[i]!.begin <= own[i - 1]!.end) throw new Error(`${step}: ${own[i]!.text} began before ${own[i - 1]!.text} had ended`);
    }
    // A file may be written in several pieces.
    return own.map(({ text }) => text).filter((text, i, all) => !text.startsWith('write ') || text !== all[i - 1]);
  }

  /** Where something is in the trace, from some place on. */
  function place(text: string, from = 0): number {
    const at = calls.findIndex((call, i) => i >= from && call.text === text);
    if (at < 0) throw new Error(`there is no "${text}" behind call ${from}`);
    return at;
  }

  /** Whether a call belongs to the making of a spare segment: all until its header is written, which is when it is taken. */
  function isOfSpare({ text, file, begin }: Call, step: readonly Call[]): boolean {
    if (!text.endsWith(' spare.tmp')) return false;
    if (!step.some((call) => call.file === file && call.text.startsWith('link '))) return true;
    const writes = step.filter((call) => call.file === file && call.text === 'write spare.tmp');
    return begin < writes[writes.length - 1]!.begin;
  }

  test('a new log has its marks before its first segment has a name', () => {
    expect(callsOf('bootstrap', (text) => text.startsWith('read '))).toEqual([
      'fsync parent',
      ...['create mark', 'write mark', 'fdatasync mark', 'create mark', 'write mark', 'fdatasync mark', 'fsync directory'],
      ...['create first.tmp', 'write first.tmp', 'fdatasync first.tmp', 'write first.tmp', 'fdatasync first.tmp'],
      ...['link first.tmp to segment 1', 'unlink first.tmp', 'fsync directory'],
      // What follows is what every start does.
      ...copied(1, 2),
      'done bootstrap',
    ]);
  });

  test('W10: a change of term or vote is in the log, and then in a mark, before anybody is told', () => {
    expect(callsOf('vote', () => false)).toEqual(['synced write segment 2', 'write mark', 'fdatasync mark', 'done vote']);
  });

  test('entries are synced before anybody is told, and ten writes at once share one sync', () => {
    expect(callsOf('entries')).toEqual(['synced write segment 2', 'done entries']);
    expect(callsOf('ten at once')).toEqual(['synced write segment 2', 'done ten at once']);
  });

  test('B86: a commit index alone is not synced; it goes with the next write', () => {
    expect(callsOf('commit')).toEqual(['done commit']);
    expect(callsOf('entry after it')).toEqual(['synced write segment 2', 'done entry after it']);
    expect(callsOf('conflict')).toEqual(['synced write segment 2', 'done conflict']);
  });

  test('W3: a snapshot is complete under its name before the log speaks of it', () => {
    const file = ['create snapshot.tmp', 'write snapshot.tmp', 'fdatasync snapshot.tmp', 'rename snapshot.tmp to snapshot', 'fsync directory'];

    expect(callsOf('snapshot of the leader')).toEqual([...file, 'synced write segment 2', 'done snapshot of the leader']);
    expect(callsOf('own snapshot')).toEqual([...file, 'synced write segment 3', 'done own snapshot']);
  });

  test('W7: the next segment is there, with its name, before the old one is sealed', () => {
    expect(callsOf('rotation')).toEqual([
      ...['write spare.tmp', 'fdatasync spare.tmp', 'link spare.tmp to segment 3', 'unlink spare.tmp', 'fsync directory'],
      ...['synced write segment 2'],
      ...['synced write segment 3', 'done rotation'],
    ]);
  });

  test('W8: a segment goes when the snapshot that covers it was read back, and the record that it is not needed is durable', () => {
    const newest = calls[place('create snapshot.tmp', place('begin own snapshot'))]!.file;
    const isRecorded = place('done own snapshot');
    const readBack = calls.findIndex(({ text, file }, i) => i > isRecorded && text === 'read snapshot' && file === newest);
    const older = place('unlink snapshot', isRecorded);
    const removed = place('unlink segment 2');

    expect(readBack).toBeGreaterThan(isRecorded);
    expect(older).toBeGreaterThan(readBack);
    expect(calls[older]!.file).not.toBe(newest);
    expect(removed).toBeGreaterThan(older);
    expect(removed).toBeGreaterThan(place('synced write segment 3', place('begin compaction')));
    expect(place('fsync directory', removed)).toBeLessThan(place('done compaction'));
  });

  test('W9: the end of a run is in the log, and then in a mark', () => {
    const own = callsOf('close', (text) => text.startsWith('read ') || text === 'unlink spare.tmp');
    expect(own.slice(own.indexOf('synced write segment 3'))).toEqual(['synced write segment 3', 'write mark', 'fdatasync mark', 'done close']);
  });

  test('R5: what is opened is copied, and the copy is durable, before what it was copied from goes', () => {
    expect(callsOf('open', (text) => text.startsWith('read '))).toEqual([...copied(3, 4), 'done open']);
  });
});

/** Opening a log whose last segment is `from`. */
function copied(from: number, to: number): string[] {
  return [
    ...['create LOCK.tmp', 'write LOCK.tmp', 'fdatasync LOCK.tmp', 'rename LOCK.tmp to LOCK'],
    // Files of its own, so that an owner before it that does not know yet cannot write into them.
    ...['create mark.tmp', 'write mark.tmp', 'fdatasync mark.tmp', 'rename mark.tmp to mark'],
    ...['create mark.tmp', 'write mark.tmp', 'fdatasync mark.tmp', 'rename mark.tmp to mark'],
    'fsync directory',
    ...['create recovery.tmp', 'write recovery.tmp', 'fdatasync recovery.tmp', 'write recovery.tmp', 'fdatasync recovery.tmp'],
    ...[`link recovery.tmp to segment ${to}`, 'unlink recovery.tmp', 'fsync directory'],
    ...[`unlink segment ${from}`, 'fsync directory'],
  ];
}

import { beforeAll, describe, expect, test } from '@jest/globals';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { goneFrom, opsOfWork, tryAll } from './support/errorCases.js';
import { faultAt, faultsOf } from './support/faultyFileSystem.js';
import { FileOpKind, type FileOp } from './support/fileOp.js';

/**
 * Goal: the first error of the disk ends the log; nothing is acknowledged afterwards, nothing is tried again, nobody
 * is left waiting, and what was acknowledged is there at the next start.
 * Method: one workload that does everything a log does; each of its operations fails, each in another run.
 * `errors.long.test.ts` does it with every error.
 */
describe('A16 errors of the disk', () => {
  let ops: readonly FileOp[];
  beforeAll(async () => {
    ops = await opsOfWork();
  });

  test('the workload does every kind of operation, on every kind of file', () => {
    expect(new Set(ops.map(({ kind }) => kind))).toEqual(new Set(Object.values(FileOpKind)));
    for (const name of [/\.wal$/, /\.snap$/, /\.snap-.*\.tmp$/, /spare-.*\.tmp$/, /recovery-.*\.tmp$/, /mark\.0/, /mark\.1/, /LOCK$/, /LOCK-.*\.tmp$/]) {
      expect(ops.filter(({ path, to }) => name.test(path) || name.test(to))).not.toEqual([]);
    }
  });

  test('a fault of each kind at each operation, one of the kinds in turn', async () => {
    const random = seededRandom(announceSeed('errors'));
    const offset = random(100);
    const { tally, wrong } = await tryAll(ops, (op) => {
      const faults = faultsOf(op);
      return [faultAt(op.index, faults[(op.index + offset) % faults.length]!)];
    });
    console.log(`A16, one fault at each of ${ops.length} operations: ${tally}`);

    expect(wrong).toEqual([]);
    expect(tally.total).toBe(ops.length);
  }, 60_000);

  test('a sync that fails and loses what it should have synced, at each sync', async () => {
    const { tally, wrong } = await tryAll(ops, (op) => faultsOf(op).filter(({ kind }) => kind === 'fsyncgate').map((fault) => faultAt(op.index, fault)));
    console.log(`A16, fsyncgate: ${tally}`);

    expect(wrong).toEqual([]);
    expect(tally.total).toBe(ops.filter(({ kind }) => kind === FileOpKind.Datasync || kind === FileOpKind.SyncDirectory).length);
  }, 60_000);

  test('a disk that is gone from some operation on', async () => {
    const { tally, wrong } = await tryAll(ops, ({ index }) => (index % 6 === 0 ? [goneFrom(index)] : []));
    console.log(`A16, gone for good: ${tally}`);

    expect(wrong).toEqual([]);
  }, 60_000);
});

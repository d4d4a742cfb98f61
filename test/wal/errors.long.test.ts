import { expect, test } from '@jest/globals';
import { announceSeed, seededRandom } from '../support/seededRandom.js';
import { goneFrom, opsOfWork, tryAll } from './support/errorCases.js';
import { faultAt, faultsOf, type FaultPlan } from './support/faultyFileSystem.js';

/** As `errors.test.ts`, with everything that can go wrong. */
test('A16 every fault at every operation', async () => {
  const ops = await opsOfWork();
  const { tally, wrong } = await tryAll(ops, (op) => faultsOf(op).map((fault) => faultAt(op.index, fault)));
  console.log(`A16, every fault at each of ${ops.length} operations: ${tally}`);

  expect(wrong).toEqual([]);
  expect(tally.total).toBeGreaterThan(6 * ops.length);
}, 300_000);

test('A16 a disk that is gone from each operation on', async () => {
  const ops = await opsOfWork();
  const { tally, wrong } = await tryAll(ops, ({ index }) => [goneFrom(index)]);
  console.log(`A16, gone for good: ${tally}`);

  expect(wrong).toEqual([]);
}, 120_000);

test('A16 two faults, anywhere', async () => {
  const random = seededRandom(announceSeed('errors.long'));
  const ops = await opsOfWork();
  const drawn = (): FaultPlan => {
    const op = ops[random(ops.length)]!;
    const faults = faultsOf(op);
    return faultAt(op.index, faults[random(faults.length)]!);
  };
  const { tally, wrong } = await tryAll(ops, () => {
    const first = drawn();
    // After a failure there are few operations left, of other kinds than the workload has at that place.
    const later = random(60);
    let failed = -1;
    const plan: FaultPlan = (op) => {
      const fault = first(op);
      if (fault !== null) failed = op.index;
      return failed >= 0 && op.index === failed + 1 + later ? { kind: 'error', code: 'EIO' } : fault;
    };
    return [plan, plan];
  });
  console.log(`A16, two faults: ${tally}`);

  expect(wrong).toEqual([]);
}, 120_000);

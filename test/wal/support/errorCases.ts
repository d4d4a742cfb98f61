import { WalError, WalErrorCode, WalStorage } from '../../../src/node/wal/index.js';
import { nothing } from './crashChoices.js';
import { diskEnvironment, outcomeOf, quiet, settled } from './diskEnvironment.js';
import { afterFailure, entryAt, everyKindOfWork, FaultDrive, isFailure } from './faultDrive.js';
import { describeFault, FaultyFileSystem, type Fault, type FaultPlan } from './faultyFileSystem.js';
import { describeOp, FileOpKind, type FileOp } from './fileOp.js';
import { HandleCounter } from './handleCounter.js';
import { contentOf } from './logModel.js';
import { SimDisk } from './simDisk.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 7, segmentBytes: 4096, cacheBytes: 0 } as const;

/** How a run with a fault ended. */
export type ErrorOutcome = 'survived' | 'storage low' | 'start refused' | 'poisoned' | 'close refused';

/** The operations of the workload when nothing fails. */
export async function opsOfWork(): Promise<readonly FileOp[]> {
  const disk = new SimDisk();
  const drive = new FaultDrive(diskEnvironment(disk.fs));
  const finished = await drive.run(everyKindOfWork);
  if (!finished || drive.broken.length > 0) throw new Error(`the workload fails by itself: ${String(drive.startError ?? drive.failures[0] ?? drive.closeError)}; ${drive.broken.join('; ')}`);
  return disk.ops;
}

/**
 * Carries the workload out on a disk that fails as planned, and then looks at everything that was promised: in the
 * process, on the disk as the next process finds it, after a loss of power, and after both.
 *
 * @returns how it ended. @throws Error with everything that is wrong.
 */
export async function tryFaults(plan: FaultPlan): Promise<ErrorOutcome> {
  const disk = new SimDisk({ keepOps: false });
  const faulty = new FaultyFileSystem(disk.fs, plan);
  const counter = new HandleCounter(faulty);
  const env = diskEnvironment(counter);
  const drive = new FaultDrive(env);
  const wrong: string[] = [];
  let outcome: ErrorOutcome;
  const finished = await drive.run(everyKindOfWork);
  const { log, failures } = drive;
  if (finished) {
    outcome = drive.low.length > 0 ? 'storage low' : 'survived';
    if (failures.length > 0) wrong.push('it has failed, and went on');
    for (const { op, fault } of faulty.faults) if (!mayBeSurvived(op, fault, drive.low.length > 0)) wrong.push(`the ${describeFault(fault)} at ${describeOp(op)} was not noticed`);
  } else if (log === null) {
    outcome = drive.startError !== null ? 'start refused' : 'close refused';
    const error = drive.startError ?? drive.closeError;
    if (!isFailure(error)) wrong.push(`${outcome} with ${describe(error)}`);
  } else {
    outcome = 'poisoned';
    if (!isFailure(log.failure)) wrong.push(`the failure is ${describe(log.failure)}`);
    if (failures.length !== 1 || failures[0] !== log.failure) wrong.push(`onFailure was called ${failures.length} times`);
    wrong.push(...(await afterFailure(log)));
    // It may reject; it may not hang.
    await outcomeOf(log.close());
  }
  await quiet();
  wrong.push(...drive.broken);
  if (drive.pending.size > 0) wrong.push(`never settled: ${[...drive.pending].join(', ')}`);
  if (env.lock.held.size > 0) wrong.push('the directory is still claimed');
  if (counter.handles.size > 0) wrong.push(`left open: ${[...counter.handles].map(({ path }) => path).join(', ')}`);
  if (counter.closedTwice.length > 0) wrong.push(`closed twice: ${counter.closedTwice.join(', ')}`);
  if (counter.syncedAgain.length > 0) wrong.push(`synced again after a failed sync: ${counter.syncedAgain.join(', ')}`);

  // Names that a failed sync of a directory has lost cannot be had again by any later one; no file system goes on after that.
  const goesOn = !faulty.faults.some(({ op, fault }) => op.kind === FileOpKind.SyncDirectory && fault.kind === 'fsyncgate');
  wrong.push(...(await reopen(disk.fork({}), drive, 'the next process', goesOn)));
  wrong.push(...(await reopen(disk.crashImage(nothing(disk.crashPoint()), {}), drive, 'after a loss of power', goesOn)));
  if (wrong.length > 0) throw new Error(`${faulty.faults.slice(0, 2).map(({ op, fault }) => `${describeFault(fault)} at op ${op.index}, ${describeOp(op)}`).join(' and ')} (${outcome}): ${wrong.join('\n  ')}`);
  return outcome;
}

/** Opens, compares with what was promised, works on, loses the power, and opens again. Returns what is wrong. */
async function reopen(disk: SimDisk, drive: FaultDrive, who: string, again: boolean): Promise<string[]> {
  try {
    const log = await startAgain(disk, drive);
    const found = await settled(contentOf(log));
    const place = drive.placeOf(found);
    if (place < 0) return [`${who} finds what never was:\n${found}`];
    if (place < drive.promised) return [`${who} finds the log as of change ${place}, and change ${drive.promised} was acknowledged`];
    const { term, vote, commit } = log.initialState().hardState;
    await settled(log.append({ entries: [entryAt(log.lastIndex() + 1, 9)], hardState: { term: 9, vote: term === 9 ? vote : 3, commit } }));
    const after = await settled(contentOf(log));
    const lost = disk.crashImage(nothing(disk.crashPoint()), {});
    await settled(log.close());
    if (!again) return [];

    const last = await settled(WalStorage.open(options, diskEnvironment(lost.fs, 3)));
    const kept = await settled(contentOf(last));
    await settled(last.close());
    return kept === after ? [] : [`${who} writes, and after another loss of power it is\n${kept}\nand not\n${after}`];
  } catch (error) {
    return [`${who}: ${describe(error)}`];
  }
}

async function startAgain(disk: SimDisk, { promised }: FaultDrive): Promise<WalStorage> {
  const env = diskEnvironment(disk.fs, 2);
  const outcome = await outcomeOf(WalStorage.open(options, env));
  if ('value' in outcome) return outcome.value;
  const { error } = outcome;
  if (env.lock.held.size > 0) throw new Error('the directory is still claimed after a refused open');
  // The log was never made, so making it has to be possible.
  if (promised === 0 && error instanceof WalError && error.code === WalErrorCode.NotFound) return settled(WalStorage.bootstrap(options, env));
  throw error;
}

/** Short reads and writes are no errors; the spare may find no room, which is reported, and nobody needs it to be removed. */
function mayBeSurvived({ path, kind }: FileOp, fault: Fault, low: boolean): boolean {
  if (fault.kind === 'short') return true;
  if (!path.startsWith('/wal/spare-')) return false;
  return kind === FileOpKind.Unlink || (low && (fault.code === 'ENOSPC' || fault.code === 'EDQUOT'));
}

function describe(error: unknown): string {
  return error instanceof WalError ? `${error.code} ${error.message} (${String(error.cause)})` : error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Counts outcomes, for a table. */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }

  of(outcome: string): number {
    return this.counts.get(outcome) ?? 0;
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    return `${this.total} cases: ${[...this.counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`;
  }
}

/** A disk that fails in everything from some operation on. */
export function goneFrom(index: number): FaultPlan {
  return (op) => (op.index < index ? null : { kind: 'error', code: 'EIO' });
}

/** Tries the plans for each operation, and collects what went wrong. */
export async function tryAll(ops: readonly FileOp[], plansFor: (op: FileOp) => readonly FaultPlan[]): Promise<{ tally: Tally; wrong: string[] }> {
  const tally = new Tally();
  const wrong: string[] = [];
  for (const op of ops) {
    for (const plan of plansFor(op)) {
      try {
        tally.add(await tryFaults(plan));
      } catch (error) {
        tally.add('WRONG');
        wrong.push((error as Error).message);
      }
    }
  }
  return { tally, wrong };
}

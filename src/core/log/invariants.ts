import { panic } from '../errors.js';
import type { ApplyCursor } from './applyCursor.js';
import type { RaftLog } from './raftLog.js';
import type { Unstable } from './unstable.js';

// For tests and checkers; the log itself tests what it relies on where it relies on it. All of them panic.

/** Panics if an invariant of the log or of its parts does not hold. Costs O(unstable entries). */
export function checkLog({ unstable, cursor }: RaftLog): void {
  checkUnstable(unstable);
  checkCursor(cursor);
  if (cursor.committed > unstable.lastIndex()) panic(`log: committed up to ${cursor.committed}, but it ends at ${unstable.lastIndex()}`);
}

/** Panics if what is documented at the fields does not hold. */
export function checkUnstable({ entries, offset, nextToWrite, snapshot, snapshotInProgress }: Unstable): void {
  const end = offset + entries.length;
  for (let i = 0; i < entries.length; i++) {
    if (entries[i]!.index !== offset + i) panic(`unstable: entry ${entries[i]!.index} stands at ${offset + i}`);
  }
  if (nextToWrite < offset || nextToWrite > end) panic(`unstable: next to write is ${nextToWrite}, outside of [${offset}, ${end}]`);
  if (snapshot !== null && snapshot.metadata.index >= offset) {
    panic(`unstable: entries from ${offset} on overlap the snapshot at ${snapshot.metadata.index}`);
  }
  if (snapshot === null && snapshotInProgress) panic('unstable: no snapshot, but it is being written');
}

/** Panics unless applied <= applying <= committed. */
export function checkCursor({ applied, applying, committed }: ApplyCursor): void {
  if (applied > applying || applying > committed) {
    panic(`applied ${applied} <= applying ${applying} <= committed ${committed} does not hold`);
  }
}

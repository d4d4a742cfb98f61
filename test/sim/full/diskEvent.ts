/**
 * What happens to logs and their disks in a run. The simulator counts the runs in which each of them really happened:
 * what never happens is not tested.
 */
export const DiskEvent = {
  // -- Faults
  /** A sync failed; what it should have made durable is in the page cache, or nowhere. */
  SyncFailed: 0,
  /** Another operation failed. */
  OperationFailed: 1,
  /** A read or a write did a part only. */
  Shortened: 2,
  /** The first failure ended the log, and with it the process. */
  LogEnded: 3,
  /** A log could not be opened because an operation failed. */
  OpenFailed: 4,
  /** A process ended while it opened its log. */
  DiedOpening: 5,
  /** The machine ended while the log was opened. */
  PowerLossOpening: 6,
  /** A process ended while a write was under way. */
  DiedWriting: 7,
  /** A power loss took something with it. */
  UnsyncedLost: 8,
  /** A power loss left something that was not synced. */
  UnsyncedKept: 9,

  // -- What the log had to do
  /** A write that nobody was told of was found by the next process. */
  UnacknowledgedFound: 10,
  /** A write that nobody was told of was gone. */
  UnacknowledgedGone: 11,
  /** All writes that nobody was told of were found. */
  AllFound: 12,
  /** A segment was full, and the next one begun. */
  Rotation: 13,
  /** A segment was removed, because all in it was compacted or copied. */
  SegmentRemoved: 14,
  /** A log was opened, and its end copied into a new segment. */
  CopiedForward: 15,
  /** Entries were read back from the disk. */
  ReadBack: 16,
  /** The file of a snapshot was completed. */
  SnapshotWritten: 17,
  /** A snapshot of a leader replaced a log. */
  SnapshotInstalled: 18,
  /** Several writes were under way at once. */
  SeveralUnderWay: 19,
  /** A write waited in memory for the next one that syncs. */
  Unsynced: 20,
} as const;
export type DiskEvent = (typeof DiskEvent)[keyof typeof DiskEvent];

const names: readonly string[] = Object.keys(DiskEvent);

/** How many there are. */
export const diskEvents = names.length;

/** Name of one, such as `Rotation`. */
export function diskEventName(event: number): string {
  return names[event]!;
}

import type { NodeId, Snapshot } from 'raftstep';
import type { DurableLog } from 'raftstep/wal';

/** The log of one node, with what a start needs beyond a {@link DurableLog}. */
export interface NodeLog extends DurableLog {
  /** The newest snapshot, however large; empty if there is none. */
  loadSnapshot(): Promise<Snapshot>;
}

/** What a log has to tell by itself. */
export interface NodeLogEvents {
  /** It has ended, because the disk failed. */
  failed(error: unknown): void;
  /** There will soon be no room for it on the disk. */
  storageLow(error: unknown): void;
}

/** Where the nodes keep their logs: what stays when a node goes. */
export interface Disk {
  /** Where that is, for people. */
  readonly description: string;

  /**
   * Opens the log of a node: that of a member that has never run is empty.
   *
   * @throws Error if it cannot be opened; a log that is lost is not replaced by an empty one.
   */
  open(id: NodeId, events: NodeLogEvents): Promise<NodeLog>;

  /** Leaves the place to others, once every log is closed. */
  close(): Promise<void>;
}

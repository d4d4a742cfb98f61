import type { Config } from '../../src/core/config.js';
import { tryDecodeConfChange } from '../../src/core/raftpb/confChangeWire.js';
import { isConfChangeEntry, type Entry } from '../../src/core/raftpb/entry.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { isEmptySnapshot, type HardState, type Snapshot } from '../../src/core/raftpb/state.js';
import { RawNode } from '../../src/core/rawNode.js';
import { emptyBytes, type NodeId } from '../../src/core/types.js';
import { ScriptStorage } from './scriptStorage.js';

/** Options of a node that are not its own: what a script sets, and what the environment fixes for all. */
export type ScriptConfig = Omit<Config, 'id' | 'storage' | 'applied'> &
  Required<Pick<Config, 'electionTick' | 'heartbeatTick' | 'asyncStorageWrites' | 'maxSizePerMsg'>>;

/** One node under script control: a RawNode, its storage, and a state machine that appends everything to one string. */
export class ScriptNode {
  readonly id: NodeId;
  readonly config: ScriptConfig;
  storage: ScriptStorage;
  private readonly start: Snapshot;
  rawNode: RawNode;
  /** MsgStorageAppend that the append thread has not performed yet, oldest first. */
  appendWork: Message[] = [];
  /** MsgStorageApply that the apply thread has not performed yet, oldest first. */
  applyWork: Message[] = [];

  /** @param start where the node starts; the empty snapshot for a node without a group. */
  constructor(id: NodeId, config: ScriptConfig, start: Snapshot) {
    this.id = id;
    this.config = config;
    this.start = start;
    this.storage = newStorage(start);
    this.rawNode = this.newRawNode();
  }

  /** The process dies and starts again from its storage. What its threads had not done is lost. */
  restart(): void {
    const storage = this.storage;
    const durable = storage.durableSnapshot();
    if (durable.metadata.index > storage.newest.metadata.index) storage.newest = durable;
    const { index: applied, confState } = storage.newest.metadata;
    const hardState = storage.hardState();
    if (hardState.commit < applied) storage.setHardState({ ...hardState, commit: applied });
    if (applied > durable.metadata.index) storage.createSnapshot(applied, confState, storage.newest.data);
    this.appendWork = [];
    this.applyWork = [];
    this.rawNode = this.newRawNode();
  }

  /** The disk is wiped, and the process starts as it did the first time. */
  wipe(): void {
    this.storage = newStorage(this.start);
    this.appendWork = [];
    this.applyWork = [];
    this.rawNode = this.newRawNode();
  }

  /** Makes durable what a Ready or a MsgStorageAppend asks for; null stands for "nothing new". */
  persist(hardState: HardState | null, snapshot: Snapshot | null, entries: readonly Entry[]): void {
    if (hardState !== null) this.storage.setHardState(hardState);
    if (snapshot !== null && !isEmptySnapshot(snapshot)) this.storage.restoreFrom(snapshot);
    if (entries.length > 0) this.storage.append(entries);
  }

  /** Applies committed entries to the state machine; each leaves a new snapshot. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      // A snapshot may have overtaken entries that were waiting for the apply thread.
      if (entry.index > this.storage.newest.metadata.index) this.applyEntry(entry);
    }
  }

  private applyEntry(entry: Entry): void {
    const before = this.storage.newest;
    let confState = before.metadata.confState;
    let update = entry.data;
    if (isConfChangeEntry(entry)) {
      confState = this.rawNode.applyConfChange(entry) ?? confState;
      update = tryDecodeConfChange(entry)?.context ?? emptyBytes;
    }
    const data = new Uint8Array(before.data.length + update.length);
    data.set(before.data);
    data.set(update, before.data.length);
    this.storage.newest = { data, metadata: { confState, index: entry.index, term: entry.term } };
  }

  private newRawNode(): RawNode {
    return new RawNode({
      ...this.config,
      id: this.id,
      storage: this.storage,
      applied: this.storage.newest.metadata.index,
    });
  }
}

function newStorage(start: Snapshot): ScriptStorage {
  const storage = new ScriptStorage();
  if (!isEmptySnapshot(start)) storage.restoreFrom(start);
  return storage;
}

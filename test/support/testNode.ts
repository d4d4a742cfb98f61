import { checkInvariants } from '../../src/core/checkInvariants.js';
import type { Config } from '../../src/core/config.js';
import { isConfChangeEntry, type Entry } from '../../src/core/raftpb/entry.js';
import type { Message } from '../../src/core/raftpb/message.js';
import type { Snapshot } from '../../src/core/raftpb/state.js';
import type { AbortedRead, ReadState } from '../../src/core/raft/raft.js';
import { RawNode } from '../../src/core/rawNode.js';
import type { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import type { Index, NodeId, StateType, Term } from '../../src/core/types.js';

/** More turns than any test needs: a node that always has a Ready would hang the test otherwise. */
const mostTurns = 1000;

/** What a {@link TestNode} is made from: a Config with a storage that a host can write to. */
export type TestConfig = Config & { readonly storage: MemoryStorage };

/**
 * A node with a host around it that does what a Ready says, in the order of its contract and with
 * synchronous writes. The storage survives a crash; the node and what it has handed out do not.
 */
export class TestNode {
  readonly config: TestConfig;
  readonly storage: MemoryStorage;
  node: RawNode;
  /** Every committed entry that was handed out since the last start, in order. */
  applied: Entry[] = [];
  /** Snapshots that the state machine was restored from since the last start. */
  restored: Snapshot[] = [];
  /** Reads that may be served. */
  reads: ReadState[] = [];
  /** Reads that were given up. */
  abortedReads: AbortedRead[] = [];

  constructor(config: TestConfig) {
    this.config = config;
    this.storage = config.storage;
    this.node = new RawNode(config);
  }

  get id(): NodeId {
    return this.config.id;
  }

  get state(): StateType {
    return this.node.basicStatus().state;
  }

  get term(): Term {
    return this.node.basicStatus().hardState.term;
  }

  get vote(): NodeId {
    return this.node.basicStatus().hardState.vote;
  }

  get commit(): Index {
    return this.node.basicStatus().hardState.commit;
  }

  get lead(): NodeId {
    return this.node.basicStatus().lead;
  }

  get lastIndex(): Index {
    return this.node.basicStatus().lastIndex;
  }

  /** Terms of the durable log, from its first entry on. */
  get logTerms(): Term[] {
    return this.log.map((entry) => entry.term);
  }

  /** The durable log. */
  get log(): readonly Entry[] {
    return this.storage.entries(this.storage.firstIndex(), this.storage.lastIndex() + 1, Infinity);
  }

  /** Handles every Ready there is. Returns the messages to peers, in the order of sending. */
  settle(): Message[] {
    const sent: Message[] = [];
    for (let turn = 0; this.node.hasReady(); turn++) {
      if (turn === mostTurns) throw new Error(`node ${this.id} does not come to rest`);
      sent.push(...this.handleReady());
    }
    checkInvariants(this.node);
    return sent;
  }

  /** Handles one Ready. Returns its messages. */
  handleReady(): readonly Message[] {
    const ready = this.node.ready();
    if (ready.snapshot !== null) this.storage.applySnapshot(ready.snapshot);
    this.storage.append(ready.entries);
    if (ready.hardState !== null) this.storage.setHardState(ready.hardState);
    if (ready.snapshot !== null) this.restored.push(ready.snapshot);
    for (const entry of ready.committedEntries) {
      if (isConfChangeEntry(entry)) this.node.applyConfChange(entry);
      this.applied.push(entry);
    }
    this.reads.push(...ready.readStates);
    this.abortedReads.push(...ready.abortedReads);
    this.node.advance(ready);
    return ready.messages;
  }

  /** Takes in messages one after the other. Returns the messages to peers that they lead to. */
  receive(...messages: readonly Message[]): Message[] {
    return messages.flatMap((m) => {
      this.node.step(m);
      return this.settle();
    });
  }

  /** Lets time pass. Returns the messages to peers that it leads to. */
  tick(ticks = 1): Message[] {
    const sent: Message[] = [];
    for (let i = 0; i < ticks; i++) {
      this.node.tick();
      sent.push(...this.settle());
    }
    return sent;
  }

  /** Crashes and starts again from what is durable. */
  restart(): void {
    this.node = new RawNode(this.config);
    this.applied = [];
    this.restored = [];
    this.reads = [];
    this.abortedReads = [];
  }

  /** Makes a snapshot of everything that is applied, in the present configuration, and discards the log up to there. */
  compact(data?: Uint8Array): Snapshot {
    const { applied, config } = this.node.status();
    const snapshot = this.storage.createSnapshot(applied, config, data ?? new Uint8Array(0));
    this.storage.compact(applied);
    return snapshot;
  }
}

import { checkInvariants } from '../../src/core/checkInvariants.js';
import type { Config } from '../../src/core/config.js';
import { isConfChangeEntry, type Entry } from '../../src/core/raftpb/entry.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState, type ConfState, type Snapshot } from '../../src/core/raftpb/state.js';
import type { Raft } from '../../src/core/raft/raft.js';
import { internalRaft, RawNode } from '../../src/core/rawNode.js';
import type { Ready } from '../../src/core/ready.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { isLocalThread, StateType, type NodeId } from '../../src/core/types.js';

/** Options of a node, without those that make it the node it is. */
export type NodeOptions = Partial<Omit<Config, 'id' | 'storage'>>;

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The text of bytes. */
export function textOf(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

/** A node with an honest host: a storage in memory, and a state machine that remembers what it applied. */
export class HostedNode {
  readonly id: NodeId;
  readonly storage: MemoryStorage;
  readonly node: RawNode;
  /** `index/term data` of every applied entry. */
  readonly applied: string[] = [];
  readonly readStates: string[] = [];
  readonly abortedReads: string[] = [];
  /** Configuration as of the last applied entry. */
  confState: ConfState;
  /** Work of the storage threads that was not done yet, oldest first. */
  work: Message[] = [];

  /** @param start in the storage before the node is made. */
  constructor(id: NodeId, start: Snapshot | null, options: NodeOptions) {
    this.id = id;
    this.storage = new MemoryStorage();
    if (start !== null) this.storage.applySnapshot(start);
    this.confState = start?.metadata.confState ?? newConfState();
    this.node = new RawNode({ id, storage: this.storage, random: () => 0, ...options });
  }

  get raft(): Raft {
    return internalRaft(this.node);
  }

  /** Handles every Ready there is, and does the work of the storage threads at once; returns what goes over the network. */
  handleReadys(): Message[] {
    const sent: Message[] = [];
    while (this.node.hasReady() || this.work.length > 0) {
      if (this.node.hasReady()) sent.push(...this.handleReady());
      sent.push(...this.doWork());
    }
    return sent;
  }

  /** Handles one Ready. With asynchronous writes the work of the storage threads is only queued. */
  handleReady(): Message[] {
    const ready = this.node.ready();
    for (const read of ready.readStates) this.readStates.push(`${read.index} ${textOf(read.requestContext)}`);
    for (const read of ready.abortedReads) this.abortedReads.push(textOf(read.requestContext));
    if (this.raft.config.asyncStorageWrites) {
      this.work.push(...ready.messages.filter((m) => isLocalThread(m.to)));
      return ready.messages.filter((m) => !isLocalThread(m.to));
    }
    this.persist(ready);
    this.apply(ready.committedEntries);
    this.node.advance(ready);
    return [...ready.messages];
  }

  /** Does the work of the storage threads; returns what goes over the network. */
  doWork(): Message[] {
    const sent: Message[] = [];
    const work = this.work;
    this.work = [];
    for (const m of work) sent.push(...this.perform(m));
    return sent;
  }

  /** Does one piece of work of a storage thread. */
  perform(m: Message): Message[] {
    if (m.type === MessageType.MsgStorageAppend) {
      const hardState = m.term === 0 ? null : { term: m.term, vote: m.vote, commit: m.commit };
      this.persist({ hardState, snapshot: m.snapshot, entries: m.entries });
    } else {
      this.apply(m.entries);
    }
    const sent: Message[] = [];
    for (const response of m.responses) {
      if (response.to === this.id) this.node.stepStorageResponse(response);
      else sent.push(response);
    }
    return sent;
  }

  /** Makes durable what a Ready asks for. */
  persist(ready: Pick<Ready, 'hardState' | 'snapshot' | 'entries'>): void {
    if (ready.snapshot !== null) {
      this.storage.applySnapshot(ready.snapshot);
      this.confState = ready.snapshot.metadata.confState;
    }
    this.storage.append(ready.entries);
    if (ready.hardState !== null) this.storage.setHardState(ready.hardState);
  }

  /** Applies committed entries to the state machine. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (isConfChangeEntry(entry)) this.confState = this.node.applyConfChange(entry) ?? this.confState;
      this.applied.push(`${entry.index}/${entry.term} ${isConfChangeEntry(entry) ? 'conf' : textOf(entry.data)}`);
    }
  }
}

/** A group of hosted nodes and a network that loses nothing unless told to. */
export class RawGroup {
  readonly nodes = new Map<NodeId, HostedNode>();
  /** Sent and not delivered, in the order of sending. */
  inFlight: Message[] = [];
  /** Nodes whose messages are lost, in both directions. */
  readonly cutOff = new Set<NodeId>();
  /** Messages that are lost. */
  drop: (m: Message) => boolean = () => false;
  private readonly options: NodeOptions;

  /** Voters 1 to n, or as `confState` says, that start from a snapshot at index 2 of term 1. */
  constructor(voters: number | Partial<ConfState>, options: NodeOptions = {}) {
    this.options = options;
    const members = typeof voters === 'number' ? { voters: Array.from({ length: voters }, (_, i) => i + 1) } : voters;
    const confState = newConfState(members);
    const ids = new Set([...confState.voters, ...confState.learners, ...confState.votersOutgoing]);
    for (const id of ids) this.add(id, { data: bytes('start'), metadata: { confState, index: 2, term: 1 } });
  }

  /** Adds a node; with nothing in its storage if `start` is null. */
  add(id: NodeId, start: Snapshot | null, options: NodeOptions = {}): HostedNode {
    const hosted = new HostedNode(id, start, { ...this.options, ...options });
    this.nodes.set(id, hosted);
    return hosted;
  }

  /** @throws Error if there is no such node. */
  get(id: NodeId): HostedNode {
    const hosted = this.nodes.get(id);
    if (hosted === undefined) throw new Error(`there is no node ${id}`);
    return hosted;
  }

  /** The node, for calls. */
  node(id: NodeId): RawNode {
    return this.get(id).node;
  }

  /** The record of a node, for looking at. */
  raft(id: NodeId): Raft {
    return this.get(id).raft;
  }

  /** Takes the Readys of all nodes; what they send is in flight then. */
  collect(): void {
    for (const hosted of this.nodes.values()) {
      const sent = hosted.handleReadys();
      // By who sends them: what a node passes on keeps the name of another.
      if (!this.cutOff.has(hosted.id)) this.inFlight.push(...sent);
    }
  }

  /** Delivers what is in flight; what is sent in answer stays. Returns whether there was anything. */
  deliver(): boolean {
    const messages = this.inFlight;
    this.inFlight = [];
    for (const m of messages) {
      if (this.cutOff.has(m.to) || this.drop(m)) continue;
      this.nodes.get(m.to)?.node.step(m);
    }
    return messages.length > 0;
  }

  /** Until nothing is left to do; checks the invariants of every node then. */
  settle(): void {
    for (let round = 0; round < 1000; round++) {
      this.collect();
      if (!this.deliver()) {
        for (const hosted of this.nodes.values()) checkInvariants(hosted.node);
        return;
      }
    }
    throw new Error('the group does not come to rest');
  }

  /** Lets one node campaign and everything settle. */
  elect(id: NodeId): void {
    this.collect();
    this.node(id).campaign();
    this.settle();
    if (this.raft(id).state !== StateType.Leader) throw new Error(`node ${id} was not elected`);
  }

  /** Ticks some nodes, all without ids, so many times, and settles after each. */
  tick(times: number, ...ids: NodeId[]): void {
    for (let i = 0; i < times; i++) {
      for (const hosted of this.nodes.values()) if (ids.length === 0 || ids.includes(hosted.id)) hosted.node.tick();
      this.settle();
    }
  }
}

import { decodeMessageFrom, encodeMessageInto } from '../src/codec/index.js';
import { MemoryStorage, MessageType, newConfState, newMessage, RawNode, type Config, type Message, type Ready } from '../src/core/index.js';

/** What a group of a benchmark is made of. */
export interface GroupOptions {
  readonly nodes: number;
  /** Whether every message is encoded to bytes and decoded again on its way. */
  readonly codec?: boolean;
  /** Options on top of the benchmark's own. */
  readonly config?: Partial<Config>;
}

const noData = new Uint8Array(0);

/** In the place of a message that was delivered, so that nothing keeps it. */
const noMessage = newMessage(MessageType.MsgHup, 0);

/** The buffer of a connection: messages are encoded into it and decoded from it without taking memory, as a transport does. */
const wire = new Uint8Array(4 << 20);

function overTheWire(m: Message): Message {
  return decodeMessageFrom(wire, 0, encodeMessageInto(m, wire, 0));
}

/** One member, and what a host would keep beside it. */
export class Member {
  readonly id: number;
  readonly storage = new MemoryStorage();
  readonly node: RawNode;
  applied = 0;
  reads = 0;

  constructor(id: number, voters: readonly number[], config: Partial<Config>) {
    this.id = id;
    this.storage.applySnapshot({
      data: noData,
      metadata: { index: 1, term: 1, confState: newConfState({ voters }) },
    });
    this.node = new RawNode({
      id,
      storage: this.storage,
      applied: 1,
      electionTick: 10,
      heartbeatTick: 1,
      preVote: true,
      checkQuorum: true,
      maxSizePerMsg: 1024 * 1024,
      maxInflightMsgs: 256,
      ...config,
    });
    this.applied = 1;
  }
}

/** Nodes in one process, and a queue in place of a network. */
export class Group {
  readonly members: readonly Member[];
  readonly leader: Member;
  readonly #codec: boolean;
  #queue: Message[] = [];
  /** How many wait; behind them is what was delivered. */
  #count = 0;
  /** The queue before, whose room the next one takes. */
  #spare: Message[] = [];
  #compactedAt = 0;

  constructor(options: GroupOptions) {
    const voters = Array.from({ length: options.nodes }, (_, i) => i + 1);
    this.members = voters.map((id) => new Member(id, voters, options.config ?? {}));
    this.leader = this.members[0]!;
    this.#codec = options.codec ?? false;
  }

  /** Makes node 1 the leader. */
  elect(): void {
    this.leader.node.campaign();
    this.settle();
  }

  /** Handles Readys and delivers messages until nothing is left to do. */
  settle(): void {
    do {
      for (const member of this.members) this.handleReadys(member);
    } while (this.deliver());
  }

  /** Handles Readys of one node until it has none. */
  handleReadys(member: Member): void {
    while (member.node.hasReady()) {
      const rd = member.node.ready();
      this.#store(member, rd);
      const messages = rd.messages;
      for (let i = 0; i < messages.length; i++) this.#send(messages[i]!);
      const committed = rd.committedEntries;
      if (committed.length > 0) member.applied = committed[committed.length - 1]!.index;
      member.reads += rd.readStates.length;
      member.node.advance(rd);
    }
  }

  #store(member: Member, rd: Ready): void {
    if (rd.snapshot !== null) {
      member.storage.applySnapshot(rd.snapshot);
      member.applied = rd.snapshot.metadata.index;
    }
    if (rd.hardState !== null) member.storage.setHardState(rd.hardState);
    if (rd.entries.length > 0) member.storage.append(rd.entries);
  }

  #send(m: Message): void {
    this.#queue[this.#count++] = this.#codec ? overTheWire(m) : m;
  }

  /** Delivers everything that is queued, in order. Returns whether there was anything. */
  deliver(): boolean {
    const queue = this.#queue;
    const count = this.#count;
    if (count === 0) return false;
    this.#queue = this.#spare;
    this.#spare = queue;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      const m = queue[i]!;
      queue[i] = noMessage;
      this.members[(m.to as number) - 1]!.node.step(m);
    }
    return true;
  }

  /** Drops what is queued for one node, as a network that does not reach it. */
  deliverExcept(id: number): boolean {
    const kept = this.#queue.slice(0, this.#count).filter((m) => m.to !== id);
    this.#queue = kept;
    this.#count = kept.length;
    return this.deliver();
  }

  /** Compacts every storage to 2,048 entries below what is applied, if that has moved far enough. */
  maybeCompact(): void {
    if (this.leader.applied - this.#compactedAt < 8192) return;
    this.#compactedAt = this.leader.applied;
    for (const { storage, applied } of this.members) {
      if (applied - 2048 >= storage.firstIndex()) storage.compact(applied - 2048);
    }
  }

  /** @throws if a node has not applied everything up to `index`. */
  mustHaveApplied(index: number): void {
    for (const { id, applied } of this.members) {
      if (applied !== index) throw new Error(`node ${id} has applied ${applied}, not ${index}`);
    }
  }
}

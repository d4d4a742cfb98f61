import type { AckedIndexer } from '../quorum/quorum.js';
import type { JointConfig } from '../quorum/joint.js';
import { emptyBytes, ReadOnlyOption, type Index, type NodeId } from '../types.js';

/** A read that arrived at the leader. */
export interface PendingRead {
  /** Who asked: this node, `None` for a local call, or the follower that forwarded it. */
  readonly from: NodeId;
  /** The caller's bytes, which come back with the answer. Never looked into (semantics section 6). */
  readonly requestContext: Uint8Array;
}

/** A read that waits for a quorum to confirm that this node still leads. */
export interface ReadRequest extends PendingRead {
  /** Commit index when the read arrived: what the state machine must have applied. */
  readonly index: Index;
}

/** Highest value of one kind that every member acknowledged. */
class Acks implements AckedIndexer {
  // Created with the first ack: most groups of a busy process are idle and never read.
  private byId: Map<NodeId, number> | null = null;

  ackedIndex(id: NodeId): Index {
    return this.byId?.get(id) ?? -1;
  }

  raise(id: NodeId, value: number): void {
    this.byId ??= new Map();
    if (value > (this.byId.get(id) ?? -1)) this.byId.set(id, value);
  }

  delete(id: NodeId): void {
    this.byId?.delete(id);
  }
}

const twoTo32 = 0x1_0000_0000;

function writeUint64(bytes: Uint8Array, offset: number, value: number): void {
  const view = new DataView(bytes.buffer);
  // Takes the value modulo 2^32.
  view.setUint32(offset, value, true);
  view.setUint32(offset + 4, value / twoTo32, true);
}

function readUint64(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  return view.getUint32(0, true) + twoTo32 * view.getUint32(4, true);
}

/**
 * Reads of a leader (dissertation §6.4). They are numbered in the order of arrival by a sequence of
 * our own. A heartbeat carries the number of the newest read, so its answer confirms that one and
 * all before it; in lease mode it carries the tick of its sending as well (D13).
 *
 * Lives as long as a term of leadership: `reset` replaces it.
 */
export class ReadOnly {
  readonly option: ReadOnlyOption;
  /** Sequence number of the newest read that a quorum has confirmed; 0 for none. */
  private confirmed = 0;
  /** Reads with the sequence numbers from `confirmed` + 1 on. */
  private queue: ReadRequest[] = [];
  private readonly acks = new Acks();
  private readonly ackedTicks = new Acks();

  constructor(option: ReadOnlyOption) {
    this.option = option;
  }

  /** Reads that are not confirmed yet, oldest first. */
  get waiting(): readonly ReadRequest[] {
    return this.queue;
  }

  /** Sequence number of the newest read. */
  get lastSequence(): number {
    return this.confirmed + this.queue.length;
  }

  /** Queues a read. The node itself confirms it at once: it knows that it leads. */
  add(self: NodeId, request: ReadRequest): void {
    this.queue.push(request);
    this.acks.raise(self, this.lastSequence);
  }

  /** Context of a heartbeat that is sent at `tick`, a count of the leader's ticks. */
  heartbeatContext(tick: number): Uint8Array {
    if (this.option === ReadOnlyOption.LeaseBased) {
      const context = new Uint8Array(16);
      writeUint64(context, 0, this.queue.length === 0 ? 0 : this.lastSequence);
      writeUint64(context, 8, tick);
      return context;
    }
    if (this.queue.length === 0) return emptyBytes;
    const context = new Uint8Array(8);
    writeUint64(context, 0, this.lastSequence);
    return context;
  }

  /**
   * Takes in the context that came back with a heartbeat response. Numbers that were never sent out
   * are ignored: a peer must not confirm reads and leases of the future (D9).
   */
  recvAck(from: NodeId, context: Uint8Array, tick: number): void {
    if (context.length < 8) return;
    const sequence = readUint64(context, 0);
    if (sequence <= this.lastSequence) this.acks.raise(from, sequence);
    if (context.length < 16) return;
    const sentTick = readUint64(context, 8);
    if (sentTick <= tick) this.ackedTicks.raise(from, sentTick);
  }

  /** What a member has acknowledged does not count: it may have forgotten a vote for another leader (O12). */
  forget(id: NodeId): void {
    this.acks.delete(id);
    this.ackedTicks.delete(id);
  }

  /** Takes the reads out of the queue that a quorum of every half has confirmed, oldest first. */
  takeConfirmed(voters: JointConfig): readonly ReadRequest[] {
    if (this.queue.length === 0) return [];
    // With no voters at all the quorum of nobody would confirm everything, reads to come included.
    const confirmed = Math.min(voters.committedIndex(this.acks), this.lastSequence);
    if (confirmed <= this.confirmed) return [];
    const reads = this.queue.splice(0, confirmed - this.confirmed);
    this.confirmed = confirmed;
    return reads;
  }

  /** Whether a quorum of every half has acknowledged a heartbeat that was sent at `since` or later. */
  leaseHolds(self: NodeId, voters: JointConfig, since: number, tick: number): boolean {
    this.ackedTicks.raise(self, tick);
    // Ticks count from 1: a quorum that has acknowledged nothing yields 0, also early in the term.
    return voters.committedIndex(this.ackedTicks) >= Math.max(since, 1);
  }
}

import type { Message } from '../core/raftpb/message.js';
import type { NodeId } from '../core/types.js';
import { SimEventKind, type SimEvent } from './simEvent.js';

const { imul } = Math;

/** A hash over everything that happens in a run. Equal for equal runs; two runs that differ anywhere differ in it, most likely. */
export class TraceHash {
  private a = 0x811c9dc5;
  private b = 0x9747b28c;

  /** The hash so far, as 16 hexadecimal digits. */
  get text(): string {
    return hex(this.a) + hex(this.b);
  }

  /** Half of it, as a number. */
  get word(): number {
    return this.b;
  }

  /** Takes in an event. */
  add(event: SimEvent): void {
    this.number(event.kind);
    this.number(event.time);
    this.id(event.node);
    switch (event.kind) {
      case SimEventKind.Send:
      case SimEventKind.Deliver:
        return this.message(event.message);
      case SimEventKind.Role:
        this.number(event.state);
        return this.number(event.term);
      case SimEventKind.Commit:
        return this.number(event.to);
      case SimEventKind.Applied:
        this.number(event.entry.index);
        return this.bytes(event.entry.data);
      case SimEventKind.Proposed:
        this.number(event.index);
        return this.bytes(event.data);
      case SimEventKind.OpReturned:
        this.number(event.op.id);
        return this.number(event.op.outcome);
      case SimEventKind.SnapshotInstalled:
      case SimEventKind.SnapshotCreated:
        return this.number(event.stateHash);
      case SimEventKind.Fault:
        return this.number(event.fault);
      case SimEventKind.LogWentBack:
        this.id(event.member);
        return this.number(event.match);
      case SimEventKind.LossNoted:
        return this.number(event.lostUpTo);
      default:
    }
  }

  private message(m: Message): void {
    this.number(m.type);
    this.id(m.to);
    this.number(m.term);
    this.number(m.index);
    this.number(m.logTerm);
    this.number(m.commit);
    this.number(m.entries.length);
    this.number(m.reject ? 1 : 0);
    this.number(m.rejectHint);
  }

  private bytes(data: Uint8Array): void {
    this.number(data.length);
    // The head of a command says which one it is; the rest is padding.
    const length = data.length < 20 ? data.length : 20;
    for (let i = 0; i < length; i++) this.number(data[i]!);
  }

  private id(id: NodeId): void {
    if (typeof id === 'number') this.number(id);
    else this.number(Number(id & 0xffff_ffffn));
  }

  private number(value: number): void {
    this.a = imul(this.a ^ (value | 0), 0x01000193);
    // The second half also sees the bits above 2^32, and takes them in another order.
    this.b = imul(this.b ^ (value / 0x1_0000_0000) ^ (value | 0), 0x5bd1e995) ^ (this.b >>> 15);
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

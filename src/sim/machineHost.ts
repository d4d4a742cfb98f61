import type { Entry } from '../core/raftpb/entry.js';
import type { Index } from '../core/types.js';
import type { ClientOp } from './clientOp.js';
import { readUint32, writeUint32 } from './kv.js';
import type { UserMachine } from './userMachine.js';

const { imul } = Math;

const headLength = 6;

/** A request with its operation in front, as it goes into the log. */
export function envelope(op: ClientOp): Uint8Array {
  const bytes = new Uint8Array(headLength + op.request.length);
  writeUint32(bytes, 0, op.id);
  bytes[4] = op.client & 0xff;
  bytes[5] = op.client >>> 8;
  bytes.set(op.request, headLength);
  return bytes;
}

/** Number of the operation that an entry of the log carries. */
export function operationOf(data: Uint8Array): number {
  return readUint32(data, 0);
}

/** The context of a read: the number of its operation. */
export function readContext(op: ClientOp): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, op.id);
  return bytes;
}

/** What came of an entry. */
export interface AppliedOp {
  /** Number of the operation. */
  readonly id: number;
  readonly answer: unknown;
}

/**
 * A user's state machine with what every host needs around it: the applied index, and a session per
 * client, so that a command that got into the log twice is carried out once.
 */
export class MachineHost {
  private readonly machine: UserMachine;
  /** Number of the last operation of each client that was carried out. */
  private sessions: number[] = [];
  /** Highest index that was applied. */
  applied: Index = 0;

  constructor(machine: UserMachine) {
    this.machine = machine;
  }

  /** Applies an entry that carries a command. Returns null if the command was outdated or applied before. */
  apply(entry: Entry): AppliedOp | null {
    this.applied = entry.index;
    const { data } = entry;
    if (data.length === 0) return null;
    const id = operationOf(data);
    const client = data[4]! | (data[5]! << 8);
    while (this.sessions.length <= client) this.sessions.push(0);
    // A client starts an operation only when it is done with the one before, so later numbers win.
    if (id <= this.sessions[client]!) return null;
    this.sessions[client] = id;
    return { id, answer: this.machine.apply(data.subarray(headLength), entry.index) };
  }

  /** Answers a read from the present state. */
  query(request: Uint8Array): unknown {
    return this.machine.query(request);
  }

  /** State and sessions as bytes. */
  save(): Uint8Array {
    const state = this.machine.save();
    const bytes = new Uint8Array(4 + this.sessions.length * 4 + state.length);
    writeUint32(bytes, 0, this.sessions.length);
    for (let i = 0; i < this.sessions.length; i++) writeUint32(bytes, 4 + i * 4, this.sessions[i]!);
    bytes.set(state, 4 + this.sessions.length * 4);
    return bytes;
  }

  /** Takes over what {@link save} wrote at `index`. */
  restore(data: Uint8Array, index: Index): void {
    this.applied = index;
    const count = readUint32(data, 0);
    this.sessions = [];
    for (let i = 0; i < count; i++) this.sessions.push(readUint32(data, 4 + i * 4));
    this.machine.restore(data.subarray(4 + count * 4));
  }

  /** Hash of state and sessions. */
  hash(): number {
    let h = this.machine.hash();
    for (let i = 0; i < this.sessions.length; i++) if (this.sessions[i] !== 0) h = imul(h ^ (this.sessions[i]! + i * 0x9e3779b9), 0x01000193);
    return h >>> 0;
  }
}

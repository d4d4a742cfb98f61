import type { Prng } from './prng.js';
import type { SimConfig } from './simConfig.js';
import type { UserMachine, Workload, WorkloadRequest } from './userMachine.js';

const { imul } = Math;

/** Kinds of commands of the default workload. */
export const KvKind = {
  /** Reads a register. */
  Get: 0,
  /** Writes a register. */
  Put: 1,
  /** Writes a register if it holds the expected value. */
  Cas: 2,
} as const;
export type KvKind = (typeof KvKind)[keyof typeof KvKind];

/** A command of the default workload: a few registers that hold numbers. */
export interface KvCommand {
  /** What to do. */
  readonly kind: KvKind;
  /** Register, from 0 on. */
  readonly key: number;
  /** Value to write; unique in the run and above 0. 0 for a get. */
  readonly value: number;
  /** Value that a cas expects; 0 stands for "never written". 0 for get and put. */
  readonly expected: number;
}

/**
 * Answer of the default state machine. To a get the value, 0 if the key was never written. To a put the
 * value that it replaced. To a cas the value that was there: it has written exactly if that is the expected one.
 */
export type KvAnswer = number;

const headLength = 11;

/** A command as bytes, with `padding` zeros behind it. */
export function encodeKv(command: KvCommand, padding: number): Uint8Array {
  const bytes = new Uint8Array(headLength + padding);
  bytes[0] = command.kind;
  bytes[1] = command.key & 0xff;
  bytes[2] = command.key >>> 8;
  writeUint32(bytes, 3, command.value);
  writeUint32(bytes, 7, command.expected);
  return bytes;
}

/** Writes `value` in four bytes, the lowest first. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}

/** Reads four bytes, the lowest first. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** The default state machine: registers. */
export class KvMachine implements UserMachine {
  /** Value of every register; 0 where nothing was written. */
  private registers: number[] = [];

  apply(request: Uint8Array): KvAnswer {
    const key = keyOf(request);
    while (this.registers.length <= key) this.registers.push(0);
    const before = this.registers[key]!;
    const cas = request[0] === KvKind.Cas;
    if (!cas || before === readUint32(request, 7)) this.registers[key] = readUint32(request, 3);
    return before;
  }

  query(request: Uint8Array): KvAnswer {
    return this.registers[keyOf(request)] ?? 0;
  }

  save(): Uint8Array {
    const bytes = new Uint8Array(this.registers.length * 4);
    for (let i = 0; i < this.registers.length; i++) writeUint32(bytes, i * 4, this.registers[i]!);
    return bytes;
  }

  restore(data: Uint8Array): void {
    this.registers = [];
    for (let at = 0; at < data.length; at += 4) this.registers.push(readUint32(data, at));
  }

  hash(): number {
    let h = 0x811c9dc5;
    let last = this.registers.length;
    // A register that was only read so far makes no difference.
    while (last > 0 && this.registers[last - 1] === 0) last--;
    for (let i = 0; i < last; i++) h = imul(h ^ this.registers[i]!, 0x01000193);
    return h >>> 0;
  }
}

function keyOf(request: Uint8Array): number {
  return request[1]! | (request[2]! << 8);
}

/** The default workload: gets, puts and compare-and-sets on a few registers. */
export class KvWorkload implements Workload {
  private readonly config: SimConfig;
  /** Value written last to every register, as far as the clients asked for it: what a cas may hope for. */
  private readonly hoped: number[] = [];

  /**
   * Clients of a run.
   *
   * @param config how many registers, and which commands how often.
   */
  constructor(config: SimConfig) {
    this.config = config;
  }

  nextRead(random: Prng): WorkloadRequest {
    const command: KvCommand = { kind: KvKind.Get, key: random.below(this.config.keys), value: 0, expected: 0 };
    return { request: encodeKv(command, 0), command };
  }

  nextWrite(random: Prng, id: number): WorkloadRequest {
    const { config } = this;
    const key = random.below(config.keys);
    const cas = random.chance(config.casShare);
    const padding = random.below(config.payload + 1);
    const command: KvCommand = { kind: cas ? KvKind.Cas : KvKind.Put, key, value: id, expected: cas ? (this.hoped[key] ?? 0) : 0 };
    this.hoped[key] = id;
    return { request: encodeKv(command, padding), command };
  }

  newMachine(): KvMachine {
    return new KvMachine();
  }
}

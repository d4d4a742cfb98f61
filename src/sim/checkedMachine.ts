import { RaftError, RaftErrorCode } from '../core/errors.js';
import { isBytes } from '../core/types.js';
import type { Index } from '../core/types.js';
import { shown } from './configRange.js';
import type { UserMachine } from './userMachine.js';

const { floor, imul } = Math;

/**
 * A state machine of a user, held to its contract. Where it returns something else, a run would go on with it and
 * prove nothing: a hash that is always NaN makes all states equal.
 */
export class CheckedMachine implements UserMachine {
  private readonly machine: UserMachine;

  constructor(machine: UserMachine) {
    this.machine = machine;
  }

  apply(request: Uint8Array, index: Index): unknown {
    return lend('apply', request, (copy) => this.machine.apply(copy, index));
  }

  query(request: Uint8Array): unknown {
    return lend('query', request, (copy) => this.machine.query(copy));
  }

  save(): Uint8Array {
    const state: unknown = this.machine.save();
    if (!isBytes(state)) throw broken(`save must return a Uint8Array, has returned ${shown(state)}`);
    return state;
  }

  restore(data: Uint8Array): void {
    lend('restore', data, (copy) => this.machine.restore(copy));
  }

  hash(): number {
    const hash: unknown = this.machine.hash();
    if (!Number.isSafeInteger(hash)) throw broken(`hash must return a safe integer, has returned ${shown(hash)}`);
    return folded(hash as number);
  }
}

/** Something that a user's machine or workload must not do. */
export function broken(message: string): RaftError {
  return new RaftError(RaftErrorCode.ArgumentInvalid, `sim: ${message}`);
}

/**
 * Calls with a copy: all nodes share the bytes of their logs here, and one that wrote into them would change the
 * others. That is told, because in a real host it would change its own log.
 */
function lend<T>(name: string, bytes: Uint8Array, call: (copy: Uint8Array) => T): T {
  const copy = new Uint8Array(bytes);
  const result = call(copy);
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function') throw broken(`${name} has returned a promise: a state machine must be done when it returns`);
  for (let i = 0; i < bytes.length; i++) if (copy[i] !== bytes[i]) throw broken(`${name} has changed the bytes that it was given, which belong to the log`);
  return result;
}

/** In 32 bits, of which those above make a difference. */
function folded(hash: number): number {
  const high = floor(hash / 0x1_0000_0000);
  return high === 0 || high === -1 ? hash : (hash - high * 0x1_0000_0000) ^ imul(high, 0x9e3779b1);
}

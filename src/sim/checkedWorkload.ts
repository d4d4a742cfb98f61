import { isBytes } from '../core/types.js';
import { broken, CheckedMachine } from './checkedMachine.js';
import { isRecord, shown } from './configRange.js';
import type { Prng } from './prng.js';
import type { UserMachine, Workload, WorkloadRequest } from './userMachine.js';

/** The workload of a user, held to its contract; see {@link CheckedMachine}. */
export class CheckedWorkload implements Workload {
  private readonly workload: Workload;
  /** Machines that were handed out: two nodes with the same one would always agree. */
  private readonly handedOut = new WeakSet<UserMachine>();

  constructor(workload: Workload) {
    this.workload = workload;
    checkMethods('a workload', workload, ['nextWrite', 'nextRead', 'newMachine']);
  }

  nextWrite(random: Prng, id: number): WorkloadRequest {
    return checkedRequest('nextWrite', this.workload.nextWrite(random, id));
  }

  nextRead(random: Prng, id: number): WorkloadRequest {
    return checkedRequest('nextRead', this.workload.nextRead(random, id));
  }

  newMachine(): UserMachine {
    const machine = this.workload.newMachine();
    checkMethods('a state machine', machine, ['apply', 'query', 'save', 'restore', 'hash']);
    if (this.handedOut.has(machine)) throw broken('newMachine must make a new state machine each time, has returned one a second time');
    this.handedOut.add(machine);
    return new CheckedMachine(machine);
  }
}

function checkMethods(what: string, value: unknown, names: readonly string[]): void {
  if (!isRecord(value)) throw broken(`${what} must be an object, is ${shown(value)}`);
  for (const name of names) if (typeof value[name] !== 'function') throw broken(`${what} must have a method ${name}`);
}

/** Its own copy of the bytes: a workload may build all of its requests in one buffer. */
function checkedRequest(name: string, made: unknown): WorkloadRequest {
  if (!isRecord(made) || !isBytes(made['request'])) throw broken(`${name} must return an object whose request is a Uint8Array`);
  return { request: new Uint8Array(made['request']), command: made['command'] };
}

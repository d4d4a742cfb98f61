import { describeEntries } from '../../../src/core/describe.js';
import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptNode } from '../scriptNode.js';

/** `raft-log i` */
export function raftLog(env: InteractionEnv, directive: Directive): void {
  printLog(env, nodeAt(env, directive, 0));
}

/** Prints what the storage of a node holds. */
export function printLog(env: InteractionEnv, { storage }: ScriptNode): void {
  const first = storage.firstIndex();
  const last = storage.lastIndex();
  if (last < first) env.output.print(`log is empty: first index=${first}, last index=${last}`);
  else env.output.print(describeEntries(storage.entries(first, last + 1, Infinity)));
}

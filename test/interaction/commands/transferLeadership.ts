import { findArgument, type Directive } from '../../support/datadriven.js';
import { ScriptError, toInteger, valueOf } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `transfer-leadership from=a to=b`: asks a, which need not lead, to hand over to b. */
export function transferLeadership(env: InteractionEnv, directive: Directive): void {
  env.node(nodeArgument(directive, 'from')).rawNode.transferLeader(nodeArgument(directive, 'to'));
}

function nodeArgument(directive: Directive, key: string): number {
  const arg = findArgument(directive, key);
  if (arg === undefined) throw new ScriptError(`${key} is missing`);
  return toInteger(valueOf(arg));
}

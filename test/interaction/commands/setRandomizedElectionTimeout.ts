import { internalRaft } from '../../../src/core/rawNode.js';
import { findArgument, type Directive } from '../../support/datadriven.js';
import { nodeAt, ScriptError, toInteger, valueOf } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `set-randomized-election-timeout i timeout=t`: in ticks, until the next change of role. */
export function setRandomizedElectionTimeout(env: InteractionEnv, directive: Directive): void {
  const timeout = findArgument(directive, 'timeout');
  if (timeout === undefined) throw new ScriptError('timeout is missing');
  internalRaft(nodeAt(env, directive, 0).rawNode).randomizedElectionTimeout = toInteger(valueOf(timeout));
}

import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `allow-next-revert i j`: leader i permits that the log of j goes back once. Not in etcd's language. */
export function allowNextRevert(env: InteractionEnv, directive: Directive): void {
  nodeAt(env, directive, 0).rawNode.allowNextRevert(nodeAt(env, directive, 1).id, true);
}

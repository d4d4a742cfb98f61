import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `forget-leader i` */
export function forgetLeader(env: InteractionEnv, directive: Directive): void {
  nodeAt(env, directive, 0).rawNode.forgetLeader();
}

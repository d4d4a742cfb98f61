import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `campaign i` */
export function campaign(env: InteractionEnv, directive: Directive): void {
  nodeAt(env, directive, 0).rawNode.campaign();
}

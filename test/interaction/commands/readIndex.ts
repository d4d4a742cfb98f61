import { trailingText, type Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `read-index i ctx` */
export function readIndex(env: InteractionEnv, directive: Directive): void {
  nodeAt(env, directive, 0).rawNode.readIndex(new TextEncoder().encode(trailingText(directive, 1)));
}

import { trailingText, type Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `propose i text` */
export function propose(env: InteractionEnv, directive: Directive): void {
  const data = new TextEncoder().encode(trailingText(directive, 1));
  env.propose(() => nodeAt(env, directive, 0).rawNode.propose(data));
}

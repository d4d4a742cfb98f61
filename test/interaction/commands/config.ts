import { internalRaft } from '../../../src/core/rawNode.js';
import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `config i`: the active configuration. Not whether it is left by itself: the reference's status does not tell, so the answers do not either. */
export function config(env: InteractionEnv, directive: Directive): void {
  const text = internalRaft(nodeAt(env, directive, 0).rawNode).tracker.config.toString();
  env.output.print(text.replace(/ autoleave$/, ''));
}

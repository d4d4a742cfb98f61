import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import { staysInside, type InteractionEnv } from '../interactionEnv.js';

/** `restart i` */
export function restart(env: InteractionEnv, directive: Directive): void {
  const node = nodeAt(env, directive, 0);
  node.restart();
  env.inFlight = env.inFlight.filter((m) => m.to !== node.id || !staysInside(m));
}

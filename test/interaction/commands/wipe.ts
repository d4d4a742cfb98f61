import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import { staysInside, type InteractionEnv } from '../interactionEnv.js';

/** `wipe i`: the disk of the node is wiped, and the node started again as `add-nodes` has made it. Not in etcd's language. */
export function wipe(env: InteractionEnv, directive: Directive): void {
  const node = nodeAt(env, directive, 0);
  node.wipe();
  env.inFlight = env.inFlight.filter((m) => m.to !== node.id || !staysInside(m));
}

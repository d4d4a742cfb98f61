import type { Directive } from '../../support/datadriven.js';
import { nodeAt, toInteger, word } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';
import { printLog } from './raftLog.js';

/** `compact i n`: the storage drops its entries up to and including n. */
export function compact(env: InteractionEnv, directive: Directive): void {
  const node = nodeAt(env, directive, 0);
  node.storage.compact(toInteger(word(directive, 1)));
  printLog(env, node);
}

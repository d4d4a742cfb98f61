import type { Directive } from '../../support/datadriven.js';
import { toBoolean, toChoice, toInteger, toLimit, valueOf } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptConfig } from '../scriptNode.js';

const options: Readonly<Record<string, (value: string) => Partial<ScriptConfig>>> = {
  'max-size-per-msg': (value) => ({ maxSizePerMsg: toInteger(value) }),
  'max-inflight-bytes': (value) => ({ maxInflightBytes: toLimit(value) }),
  'max-uncommitted-size': (value) => ({ maxUncommittedEntriesSize: toLimit(value) }),
  'disable-proposal-forwarding': (value) => ({ disableProposalForwarding: toBoolean(value) }),
  'election-tick': (value) => ({ electionTick: toInteger(value) }),
};

/** `configure option=value…`: for the nodes added from here on. */
export function configure(env: InteractionEnv, directive: Directive): void {
  for (const arg of directive.args) Object.assign(env.defaults, toChoice(arg.key, options)(valueOf(arg)));
}

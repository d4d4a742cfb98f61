import { newConfState, type Snapshot } from '../../../src/core/raftpb/state.js';
import { emptyBytes, ReadOnlyOption, type NodeId } from '../../../src/core/types.js';
import type { Argument, Directive } from '../../support/datadriven.js';
import { ScriptError, toBoolean, toChoice, toInteger, valueOf, word } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';
import type { ScriptConfig } from '../scriptNode.js';

const readOnlyOptions = { safe: ReadOnlyOption.Safe, 'lease-based': ReadOnlyOption.LeaseBased };

// Options of the core by the name of the argument.
const options: Readonly<Record<string, (value: string) => Partial<ScriptConfig>>> = {
  'async-storage-writes': (value) => ({ asyncStorageWrites: toBoolean(value) }),
  prevote: (value) => ({ preVote: toBoolean(value) }),
  checkquorum: (value) => ({ checkQuorum: toBoolean(value) }),
  inflight: (value) => ({ maxInflightMsgs: toInteger(value) }),
  'max-committed-size-per-ready': (value) => ({ maxCommittedSizePerReady: toInteger(value) }),
  'disable-conf-change-validation': (value) => ({ disableConfChangeValidation: toBoolean(value) }),
  'read-only': (value) => ({ readOnlyOption: toChoice(value, readOnlyOptions) }),
  'step-down-on-removal': (value) => ({ stepDownOnRemoval: toBoolean(value) }),
};

const startArguments = ['voters', 'learners', 'index', 'content'];

/** `add-nodes n [voters=(…)] [learners=(…)] [index=i] [content=text] [option=value]…` */
export function addNodes(env: InteractionEnv, directive: Directive): void {
  const count = toInteger(word(directive, 0));
  // Not the default of the core, which never stops applying: here a limit of 0 does.
  const config: ScriptConfig = { ...env.defaults, maxCommittedSizePerReady: env.defaults.maxSizePerMsg };
  for (const arg of directive.args) {
    if (arg.values.length === 0 || startArguments.includes(arg.key)) continue;
    Object.assign(config, toChoice(arg.key, options)(valueOf(arg)));
  }
  const start = startSnapshot(directive);
  for (let i = 0; i < count; i++) env.addNode(config, start);
}

/** The snapshot that the nodes start from; empty if the command says nothing about it. */
function startSnapshot(directive: Directive): Snapshot {
  let voters: NodeId[] = [];
  let learners: NodeId[] = [];
  let index = 0;
  let data = emptyBytes;
  let given = false;
  for (const arg of directive.args) {
    if (!startArguments.includes(arg.key)) continue;
    given = true;
    if (arg.key === 'voters') voters = nodeIds(arg);
    else if (arg.key === 'learners') learners = nodeIds(arg);
    else if (arg.key === 'index') index = toInteger(valueOf(arg));
    else data = new TextEncoder().encode(valueOf(arg));
  }
  // A memory storage keeps the place of its first entry for the snapshot, hence not even index 1.
  if (given && index <= 1) throw new ScriptError('index must be above 1');
  return { data, metadata: { confState: newConfState({ voters, learners }), index, term: given ? 1 : 0 } };
}

function nodeIds(arg: Argument): NodeId[] {
  return arg.values.map(toInteger);
}

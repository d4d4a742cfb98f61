import {
  ConfChangeTransition,
  newConfChange,
  newConfChangeV2,
  parseConfChanges,
  type ConfChange,
  type ConfChangeV2,
} from '../../../src/core/raftpb/confChange.js';
import { findArgument, type Directive } from '../../support/datadriven.js';
import { nodeAt, ScriptError, toBoolean, toChoice, valueOf } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

const transitions = {
  auto: ConfChangeTransition.Auto,
  implicit: ConfChangeTransition.JointImplicit,
  explicit: ConfChangeTransition.JointExplicit,
};

/** `propose-conf-change i [v1=true] [transition=auto/implicit/explicit]` with the changes as input */
export function proposeConfChange(env: InteractionEnv, directive: Directive): void {
  const change = readChange(directive);
  env.propose(() => nodeAt(env, directive, 0).rawNode.proposeConfChange(change));
}

function readChange(directive: Directive): ConfChange | ConfChangeV2 {
  const changes = parseConfChanges(directive.input.trim());
  const v1 = findArgument(directive, 'v1');
  const chosen = findArgument(directive, 'transition');
  const transition = chosen === undefined ? ConfChangeTransition.Auto : toChoice(valueOf(chosen), transitions);
  if (v1 === undefined || !toBoolean(valueOf(v1))) return newConfChangeV2({ transition, changes });
  const [single, ...others] = changes;
  if (single === undefined || others.length > 0 || transition !== ConfChangeTransition.Auto) {
    throw new ScriptError('a v1 change is one change, without a transition');
  }
  return newConfChange({ type: single.type, nodeId: single.nodeId });
}

import { internalRaft } from '../../../src/core/rawNode.js';
import { TrackerConfig } from '../../../src/core/tracker/config.js';
import type { Directive } from '../../support/datadriven.js';
import { nodeAt } from '../commandArguments.js';
import type { InteractionEnv } from '../interactionEnv.js';

/** `config i`: the active configuration. Whether it is left automatically is not part of it; the ConfState of a snapshot shows that. */
export function config(env: InteractionEnv, directive: Directive): void {
  const { voters, learners, learnersNext } = internalRaft(nodeAt(env, directive, 0).rawNode).tracker.config;
  env.output.print(new TrackerConfig({ voters, learners, learnersNext }).toString());
}

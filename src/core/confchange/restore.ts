import type { ConfState } from '../raftpb/state.js';
import { TrackerConfig } from '../tracker/config.js';
import { isLocalThread, None, type Index, type NodeId } from '../types.js';
import { newMemberProgress, type Changed, type ChangerInput, type ProgressMap } from './changer.js';
import { checkConfig, checkConfigInvariants } from './invariants.js';

/**
 * The configuration of a snapshot or of a storage, with fresh progress for all members, or a sentence
 * that says why the ConfState describes none. A ConfState without members gives the empty
 * configuration, that of a node which belongs to no group yet.
 *
 * @param input only its windows are used, not its configuration.
 * @param lastIndex of the log: members are probed from there.
 */
export function restoreConfig(
  input: Pick<ChangerInput, 'newInflights'>,
  lastIndex: Index,
  state: ConfState,
): Changed | string {
  const invalid = isEmptyConfState(state) ? null : validateConfState(state);
  if (invalid !== null) return invalid;
  const config = TrackerConfig.fromConfState(state);
  const progress: ProgressMap = new Map();
  for (const id of config.voters.ids) progress.set(id, newMemberProgress(input, lastIndex, false));
  for (const id of config.learners) progress.set(id, newMemberProgress(input, lastIndex, true));
  return checkConfigInvariants(config, progress) ?? { config, progress };
}

function isEmptyConfState(state: ConfState): boolean {
  return (
    state.voters.length === 0 &&
    state.learners.length === 0 &&
    state.votersOutgoing.length === 0 &&
    state.learnersNext.length === 0 &&
    !state.autoLeave
  );
}

/**
 * Why no group can have this configuration, or null if one can. The time it takes grows no faster than
 * sorting the ids, whatever they are: it judges bytes from the network.
 */
export function validateConfState(state: ConfState): string | null {
  if (state.voters.length === 0) return 'no voters';
  return (
    validateIds('voters', state.voters) ??
    validateIds('learners', state.learners) ??
    validateIds('outgoing voters', state.votersOutgoing) ??
    validateIds('future learners', state.learnersNext) ??
    checkConfig(TrackerConfig.fromConfState(state))
  );
}

function validateIds(role: string, ids: readonly NodeId[]): string | null {
  const seen = new Set<NodeId>();
  for (const id of ids) {
    if (id === None) return `id 0 among the ${role}`;
    if (isLocalThread(id)) return `reserved id ${id} among the ${role}`;
    if (seen.has(id)) return `${id} is twice among the ${role}`;
    seen.add(id);
  }
  return null;
}

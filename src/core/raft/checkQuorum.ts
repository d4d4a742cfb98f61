import { None } from '../types.js';
import { hexId, type Raft } from './raft.js';
import { becomeFollower } from './transitions.js';

/**
 * A leader that has not heard a quorum for an election timeout steps down (dissertation §6.2), so that
 * its clients find the leader that the others may have elected. Leader only.
 */
export function checkQuorum(raft: Raft): void {
  if (!raft.tracker.quorumActive()) {
    raft.logger.warning(`${hexId(raft.id)} hears no quorum in term ${raft.term} and steps down`);
    becomeFollower(raft, raft.term, None);
  }
  // Everyone is to be heard anew within the next timeout. Also after stepping down: as upstream does.
  const ids = raft.tracker.ids;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== raft.id) raft.tracker.progresses[i]!.recentActive = false;
  }
}

import { hasId } from '../quorum/majority.js';
import type { TrackerConfig } from '../tracker/config.js';
import type { Progress } from '../tracker/progress.js';
import type { NodeId } from '../types.js';

/**
 * What is wrong with a configuration, or null. Legal overlaps are those of a joint configuration: a
 * node may vote in both halves, and every future learner votes in the outgoing one only. The empty
 * configuration is fine: it is where every group begins.
 */
export function checkConfig(config: TrackerConfig): string | null {
  const { incoming, outgoing } = config.voters;
  for (const id of config.learnersNext) {
    if (!outgoing.has(id)) return `${id} is to become a learner, but is no outgoing voter`;
    if (incoming.has(id)) return `${id} is to become a learner, but is an incoming voter`;
  }
  for (const id of config.learners) {
    if (config.voters.has(id)) return `${id} is a learner and a voter`;
  }
  return config.autoLeave && !config.voters.isJoint ? 'autoleave without a joint configuration' : null;
}

/** What is wrong with a configuration and the progress of its members, or null. */
export function checkConfigInvariants(
  config: TrackerConfig,
  progress: ReadonlyMap<NodeId, Progress>,
): string | null {
  return checkConfig(config) ?? checkProgress(config, progress);
}

function checkProgress(config: TrackerConfig, progress: ReadonlyMap<NodeId, Progress>): string | null {
  for (const id of config.voters.ids) {
    if (progress.get(id)?.isLearner !== false) return `voter ${id} has no progress of a voter`;
  }
  for (const id of config.learners) {
    if (progress.get(id)?.isLearner !== true) return `learner ${id} has no progress of a learner`;
  }
  for (const id of progress.keys()) {
    if (!config.voters.has(id) && !hasId(config.learners, id)) return `progress for ${id}, which is no member`;
  }
  return null;
}

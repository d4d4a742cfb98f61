import { JointConfig } from '../quorum/joint.js';
import { MajorityConfig } from '../quorum/majority.js';
import {
  ConfChangeType,
  enterJoint,
  isConfChangeTransition,
  leaveJoint,
  type ConfChangeSingle,
  type ConfChangeV2,
} from '../raftpb/confChange.js';
import { TrackerConfig } from '../tracker/config.js';
import type { Inflights } from '../tracker/inflights.js';
import { Progress } from '../tracker/progress.js';
import { isLocalThread, None, type Index, type NodeId } from '../types.js';
import { checkConfigInvariants } from './invariants.js';

/** Progress of all members. */
export type ProgressMap = Map<NodeId, Progress>;

/** What a change leads to: for `ProgressTracker.setConfig`. */
export interface Changed {
  readonly config: TrackerConfig;
  readonly progress: ProgressMap;
}

/** What a change starts from; a `ProgressTracker` fits. */
export interface ChangerInput {
  readonly config: TrackerConfig;
  readonly progress: ReadonlyMap<NodeId, Progress>;
  /** An empty window for a new member. */
  newInflights(): Inflights;
}

/**
 * Tries configuration changes. Nothing here touches its input or throws for a bad change: the answer is
 * the new configuration, or a sentence that says why there is none. Whether the change is then
 * activated is up to the caller.
 *
 * Progress that stays as it is, is shared with the input; where a role changes, the new map has a copy.
 */
export class Changer {
  private readonly input: ChangerInput;
  private readonly lastIndex: Index;

  /** @param lastIndex of the leader's log: new members are probed from there. */
  constructor(input: ChangerInput, lastIndex: Index) {
    this.input = input;
    this.lastIndex = lastIndex;
  }

  /** The change in whichever way it asks for: at once, entering a joint configuration, or leaving it. */
  apply(change: ConfChangeV2): Changed | string {
    // Numbers from elsewhere may be outside of what the type says.
    if (!isConfChangeTransition(change.transition)) return `unknown transition ${String(change.transition)}`;
    if (leaveJoint(change)) return this.leaveJoint();
    const joint = enterJoint(change);
    return joint === null ? this.simple(change.changes) : this.enterJoint(joint.autoLeave, change.changes);
  }

  /**
   * Changes that take effect at once. At most one voter may come or go, because then every majority of
   * the old configuration overlaps every majority of the new one (dissertation §4.1).
   */
  simple(changes: readonly ConfChangeSingle[]): Changed | string {
    const draft = new Draft(this.input, this.lastIndex);
    if (this.input.config.voters.isJoint) return "can't apply simple config change in joint config";
    const refusal = draft.change(changes);
    if (refusal !== null) return refusal;
    const before = this.input.config.voters.incoming;
    if (draft.votersChangedSince(before) > 1) return 'more than one voter changed without entering joint config';
    return draft.finish(new MajorityConfig(), false);
  }

  /**
   * Makes the current voters the outgoing half and applies the changes to the incoming half: the
   * configuration C_old,new (dissertation §4.3).
   */
  enterJoint(autoLeave: boolean, changes: readonly ConfChangeSingle[]): Changed | string {
    const current = this.input.config.voters;
    if (current.isJoint) return 'config is already joint';
    if (current.incoming.size === 0) return "can't make a zero-voter config joint";
    const draft = new Draft(this.input, this.lastIndex, current.incoming);
    return draft.change(changes) ?? draft.finish(current.incoming, autoLeave);
  }

  /**
   * Leaves the joint configuration: the incoming half decides alone, future learners become learners,
   * and outgoing voters that are neither are no members any more.
   */
  leaveJoint(): Changed | string {
    if (!this.input.config.voters.isJoint) return "can't leave a non-joint config";
    const draft = new Draft(this.input, this.lastIndex, this.input.config.voters.outgoing);
    draft.dropOutgoing();
    return draft.finish(new MajorityConfig(), false);
  }
}

/** A configuration in the making. */
class Draft {
  private readonly incoming: Set<NodeId>;
  private outgoing: MajorityConfig;
  private readonly learners: Set<NodeId>;
  private readonly learnersNext: Set<NodeId>;
  private readonly progress: ProgressMap;
  private readonly input: ChangerInput;
  private readonly lastIndex: Index;

  constructor(input: ChangerInput, lastIndex: Index, outgoing = new MajorityConfig()) {
    this.input = input;
    this.lastIndex = lastIndex;
    this.incoming = new Set(input.config.voters.incoming.ids);
    this.outgoing = outgoing;
    this.learners = new Set(input.config.learners);
    this.learnersNext = new Set(input.config.learnersNext);
    this.progress = new Map(input.progress);
  }

  /** Applies the changes to the incoming half, in their order; a sentence if that is not possible. */
  change(changes: readonly ConfChangeSingle[]): string | null {
    for (const { type, nodeId } of changes) {
      // etcd sets the id to zero in changes that it decides not to apply.
      if (nodeId === None) continue;
      if (isLocalThread(nodeId)) return `node id ${nodeId} is reserved`;
      switch (type) {
        case ConfChangeType.ConfChangeAddNode:
          this.makeVoter(nodeId);
          break;
        case ConfChangeType.ConfChangeAddLearnerNode:
          this.makeLearner(nodeId);
          break;
        case ConfChangeType.ConfChangeRemoveNode:
          this.remove(nodeId);
          break;
        case ConfChangeType.ConfChangeUpdateNode:
          break;
        default:
          return `unexpected conf type ${String(type)}`;
      }
    }
    return this.incoming.size === 0 ? 'removed all voters' : null;
  }

  /** How many voters came or went. */
  votersChangedSince(before: MajorityConfig): number {
    let kept = 0;
    for (const id of before.ids) {
      if (this.incoming.has(id)) kept++;
    }
    return before.size - kept + (this.incoming.size - kept);
  }

  /** Ends the joint configuration. */
  dropOutgoing(): void {
    for (const id of this.learnersNext) {
      this.learners.add(id);
      this.setRole(id, true);
    }
    this.learnersNext.clear();
    for (const id of this.outgoing.ids) {
      if (!this.incoming.has(id) && !this.learners.has(id)) this.progress.delete(id);
    }
    this.outgoing = new MajorityConfig();
  }

  finish(outgoing: MajorityConfig, autoLeave: boolean): Changed | string {
    const config = new TrackerConfig({
      voters: new JointConfig(new MajorityConfig(this.incoming), outgoing),
      learners: this.learners,
      learnersNext: this.learnersNext,
      autoLeave,
    });
    return checkConfigInvariants(config, this.progress) ?? { config, progress: this.progress };
  }

  private makeVoter(id: NodeId): void {
    this.incoming.add(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
    this.setRole(id, false);
  }

  private makeLearner(id: NodeId): void {
    this.incoming.delete(id);
    // An outgoing voter votes until the joint configuration is left, so it cannot be a learner before.
    if (this.outgoing.has(id)) {
      this.learnersNext.add(id);
      return;
    }
    this.learners.add(id);
    this.setRole(id, true);
  }

  private remove(id: NodeId): void {
    this.incoming.delete(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
    if (!this.outgoing.has(id)) this.progress.delete(id);
  }

  /** Gives a new member its progress, or a member whose role changes a copy of its own. */
  private setRole(id: NodeId, isLearner: boolean): void {
    const known = this.progress.get(id);
    if (known === undefined) this.progress.set(id, newMemberProgress(this.input, this.lastIndex, isLearner));
    else if (known.isLearner !== isLearner) this.progress.set(id, known.withRole(isLearner));
  }
}

/**
 * Progress of a new member. It counts as recently heard: it had no chance to speak yet, and must not
 * make the leader step down. It is probed at the last index, where its first rejection tells more
 * than a probe at the beginning would.
 */
export function newMemberProgress(
  input: Pick<ChangerInput, 'newInflights'>,
  lastIndex: Index,
  isLearner: boolean,
): Progress {
  return new Progress({
    next: Math.max(lastIndex, 1),
    inflights: input.newInflights(),
    isLearner,
    recentActive: true,
  });
}

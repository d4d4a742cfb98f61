import { JointConfig } from '../quorum/joint.js';
import { describeIds, MajorityConfig, sortedIds } from '../quorum/majority.js';
import type { ConfState } from '../raftpb/state.js';
import type { NodeId } from '../types.js';

/** What a {@link TrackerConfig} is made from; what is not given is empty. */
export interface TrackerConfigFields {
  readonly voters?: JointConfig;
  readonly learners?: Iterable<NodeId>;
  readonly learnersNext?: Iterable<NodeId>;
  readonly autoLeave?: boolean;
}

/**
 * The members of a group and their roles. Voters and learners never overlap: a voter that a joint
 * change demotes stays a voter of the outgoing half, and its learning waits in {@link learnersNext}.
 * Never changed once it is made, and neither are its arrays.
 */
export class TrackerConfig {
  readonly voters: JointConfig;
  /** Members that receive the log and do not count, in ascending order (dissertation §4.2.1). */
  readonly learners: readonly NodeId[];
  /** Outgoing voters that become learners when the joint configuration is left, in ascending order. */
  readonly learnersNext: readonly NodeId[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;

  constructor(fields: TrackerConfigFields = {}) {
    this.voters = fields.voters ?? new JointConfig();
    this.learners = sortedIds(fields.learners ?? []);
    this.learnersNext = sortedIds(fields.learnersNext ?? []);
    this.autoLeave = fields.autoLeave ?? false;
  }

  /** The configuration that the ConfState describes, whether it is legal or not. */
  static fromConfState(state: ConfState): TrackerConfig {
    return new TrackerConfig({
      voters: new JointConfig(new MajorityConfig(state.voters), new MajorityConfig(state.votersOutgoing)),
      learners: state.learners,
      learnersNext: state.learnersNext,
      autoLeave: state.autoLeave,
    });
  }

  /** As it goes into snapshots. A copy, for hosts that sort. */
  toConfState(): ConfState {
    return {
      voters: this.voters.incoming.ids.slice(),
      learners: this.learners.slice(),
      votersOutgoing: this.voters.outgoing.ids.slice(),
      learnersNext: this.learnersNext.slice(),
      autoLeave: this.autoLeave,
    };
  }

  /** As text with ids in hex, such as `voters=(1 2 3)&&(1 2) learners=(4) learners_next=(5) autoleave`. */
  toString(): string {
    let text = `voters=${this.voters}`;
    if (this.learners.length > 0) text += ` learners=${describeIds(this.learners)}`;
    if (this.learnersNext.length > 0) text += ` learners_next=${describeIds(this.learnersNext)}`;
    if (this.autoLeave) text += ' autoleave';
    return text;
  }
}

import { panic } from '../errors.js';
import { majorityIndex, sortedIds } from '../quorum/majority.js';
import { VoteResult } from '../quorum/quorum.js';
import type { ConfState } from '../raftpb/state.js';
import type { Index, NodeId } from '../types.js';
import { TrackerConfig } from './config.js';
import { Inflights } from './inflights.js';
import type { Progress } from './progress.js';
import { VoteTracker } from './votes.js';

/** Progress of the voters of one half of the configuration. The question is asked on every acknowledgement. */
class Half {
  private readonly progresses: readonly Progress[];
  // Of this half alone: two nodes in one process must not share it.
  private readonly scratch: number[];

  constructor(progresses: readonly Progress[]) {
    this.progresses = progresses;
    this.scratch = progresses.map(() => 0);
  }

  /** Highest index that a majority has acknowledged; Infinity without voters. */
  committedIndex(): Index {
    const progresses = this.progresses;
    const scratch = this.scratch;
    const count = progresses.length;
    if (count === 0) return Infinity;
    for (let i = 0; i < count; i++) scratch[i] = progresses[i]!.match;
    return majorityIndex(scratch);
  }
}

/** The outgoing half of every configuration that is not joint. */
const noHalf = new Half([]);

/** The active configuration, with what the leader knows of each member and how an election stands. */
export class ProgressTracker {
  /** Most MsgApps in flight to one peer. */
  readonly maxInflightMsgs: number;
  /** Most bytes in flight to one peer; Infinity for no limit. */
  readonly maxInflightBytes: number;
  readonly votes = new VoteTracker();
  /** The active configuration; {@link setConfig} replaces it. */
  config = new TrackerConfig();
  /** Progress of all members by id. */
  progress: ReadonlyMap<NodeId, Progress> = new Map();
  /** All members in ascending order. */
  ids: readonly NodeId[] = [];
  /** Progress of all members, at the positions of {@link ids}. */
  progresses: readonly Progress[] = [];

  private incoming = noHalf;
  private outgoing = noHalf;

  constructor(maxInflightMsgs: number, maxInflightBytes: number) {
    this.maxInflightMsgs = maxInflightMsgs;
    this.maxInflightBytes = maxInflightBytes;
  }

  /** Progress of a member; undefined for other nodes. */
  get(id: NodeId): Progress | undefined {
    return this.progress.get(id);
  }

  /** Voters of either half in ascending order. */
  get voterIds(): readonly NodeId[] {
    return this.config.voters.ids;
  }

  /** Whether one voter decides alone. */
  get isSingleton(): boolean {
    return this.config.voters.isSingleton;
  }

  /**
   * Makes a configuration the active one. Panics if a voter has no progress.
   *
   * @param progress of all members and nobody else; ownership passes.
   */
  setConfig(config: TrackerConfig, progress: ReadonlyMap<NodeId, Progress>): void {
    const progressOf = (id: NodeId): Progress => progress.get(id) ?? panic(`tracker: no progress of member ${id}`);
    const incoming = config.voters.incoming.ids.map(progressOf);
    const outgoing = config.voters.outgoing.ids.map(progressOf);
    this.config = config;
    this.progress = progress;
    this.ids = sortedIds(progress.keys());
    this.progresses = this.ids.map(progressOf);
    this.incoming = new Half(incoming);
    this.outgoing = outgoing.length === 0 ? noHalf : new Half(outgoing);
  }

  /**
   * Starts the progress of all members anew, as at the start of a term: nothing is known of them but
   * that the node itself holds its own log.
   *
   * @param self this node; it need not be a member.
   * @param lastIndex of its log.
   */
  resetProgress(self: NodeId, lastIndex: Index): void {
    const ids = this.ids;
    for (let i = 0; i < ids.length; i++) {
      this.progresses[i]!.reset(ids[i] === self ? lastIndex : 0, lastIndex + 1);
    }
  }

  /** Highest index that a majority of each half holds (Raft §5.3, dissertation §4.3); Infinity without voters. */
  committed(): Index {
    const incoming = this.incoming.committedIndex();
    const outgoing = this.outgoing.committedIndex();
    return incoming < outgoing ? incoming : outgoing;
  }

  /** Whether a majority of each half was heard since the last check (dissertation §6.2). */
  quorumActive(): boolean {
    const heard = new Map(this.ids.map((id, i) => [id, this.progresses[i]!.recentActive]));
    return this.config.voters.voteResult(heard) === VoteResult.VoteWon;
  }

  /** The active configuration as it goes into snapshots. */
  confState(): ConfState {
    return this.config.toConfState();
  }

  /** An empty window for a new member. */
  newInflights(): Inflights {
    return new Inflights(this.maxInflightMsgs, this.maxInflightBytes);
  }
}

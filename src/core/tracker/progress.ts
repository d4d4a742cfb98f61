import { assert, panic } from '../errors.js';
import type { Index, Term } from '../types.js';
import type { Inflights } from './inflights.js';

/** How the leader sends to a follower. */
export const ProgressState = {
  /** Where the two logs meet is not known: one message with entries for each heartbeat. */
  Probe: 0,
  /** The logs match: entries are sent ahead of their acknowledgements. */
  Replicate: 1,
  /** The entries that the follower needs are compacted: a snapshot is on its way and nothing else is sent. */
  Snapshot: 2,
} as const;
export type ProgressState = (typeof ProgressState)[keyof typeof ProgressState];

const progressStateNames = ['StateProbe', 'StateReplicate', 'StateSnapshot'] as const;

/** Name of a state as scripts and status print it, such as `StateProbe`. */
export function progressStateName(state: ProgressState): string {
  return progressStateNames[state];
}

/**
 * What a leader keeps about a member that has contradicted what it acknowledged. Only `raft/reversion.ts`
 * reads and changes it, and explains it.
 */
export interface Reversion {
  /** Rejections below `match` since the last answer or acknowledgement. */
  contradictions: number;
  /** Index of the last question while its answer is outstanding; else 0. */
  question: Index;
  /** What the member had acknowledged when the question was first asked, or when it was quarantined. */
  match: Index;
  /** The question is whether the member holds our entry at this index. */
  about: Index;
  /** Term of that entry; -1 if it was compacted. */
  aboutTerm: Term;
  /** After a permitted reversion: acknowledgements up to here may be from before. Else 0. */
  doubtfulUpTo: Index;
}

/** What a {@link Progress} is made from; what is not given is zero or false, and the state is Probe. */
export interface ProgressFields {
  readonly match?: Index;
  readonly next: Index;
  readonly sentCommit?: Index;
  readonly state?: ProgressState;
  readonly pendingSnapshot?: Index;
  readonly recentActive?: boolean;
  readonly msgAppFlowPaused?: boolean;
  readonly inflights: Inflights;
  readonly isLearner?: boolean;
  readonly quarantined?: boolean;
  readonly reversion?: Reversion | null;
  readonly revertPermitted?: boolean;
}

/**
 * The leader's view of one follower's log. Fields are for reading; only the methods change them, except
 * for {@link recentActive}. Each change of state is one method, and leaves the invariants intact.
 */
export class Progress {
  /** Highest index known to be durable on the follower (Raft Figure 2, matchIndex). */
  match: Index = 0;
  /** Next index to send (nextIndex). Entries between match and next are in flight. Invariant: match < next. */
  next: Index;
  /** Commit index that the follower was last told. Falls when what carried it may be lost. */
  sentCommit: Index = 0;
  state: ProgressState = ProgressState.Probe;
  /** Index of the snapshot being sent; 0 unless in Snapshot. */
  pendingSnapshot: Index = 0;
  /** Whether the follower was heard since the last check of the quorum (dissertation §6.2). */
  recentActive = false;
  /** Whether MsgApps wait for an acknowledgement or for the next heartbeat response (E6, E10). */
  msgAppFlowPaused = false;
  /** Unacknowledged MsgApps; empty unless in Replicate. */
  readonly inflights: Inflights;
  /** Whether the peer is a learner; one that becomes a learner or stops being one gets a new Progress. */
  readonly isLearner: boolean = false;
  /** Whether the follower's log is known to have gone back, so that nothing is sent to it and nothing from it counts (O12). */
  quarantined = false;
  /** What is known about its log going back; null as long as nothing hints at that. */
  reversion: Reversion | null = null;
  /** Whether its log may go back once (O13). */
  revertPermitted = false;

  /** Panics if the fields do not fit together. */
  constructor(fields: ProgressFields) {
    this.next = fields.next;
    this.inflights = fields.inflights;
    // All fields are there already: every Progress has the same shape, whatever is given.
    Object.assign(this, fields);
    this.checkInvariants();
  }

  /** Forgets everything but the role, as at the start of a term. Ends in Probe. */
  reset(match: Index, next: Index): void {
    this.resetState(ProgressState.Probe);
    this.match = match;
    this.next = next;
    this.sentCommit = 0;
    this.recentActive = false;
    this.quarantined = false;
    this.reversion = null;
    this.revertPermitted = false;
    this.checkInvariants();
  }

  /** The follower has lost what it acknowledged: it counts for nothing, and is sent nothing, until {@link reset}. */
  quarantine(next: Index): void {
    this.reset(0, next);
    this.quarantined = true;
  }

  /**
   * Sends one message at a time until the point where the two logs meet is known. Out of Snapshot it
   * starts after the snapshot, which counts as received; otherwise after `match`.
   */
  becomeProbe(): void {
    this.next = this.probeStart();
    this.resetState(ProgressState.Probe);
    this.lowerSentCommit();
    this.checkInvariants();
  }

  /** Sends ahead from the index after `match`. */
  becomeReplicate(): void {
    this.resetState(ProgressState.Replicate);
    this.next = this.match + 1;
    this.checkInvariants();
  }

  /**
   * Sends nothing until it is known how the snapshot ended.
   *
   * @param index last entry that the snapshot covers, above 0.
   */
  becomeSnapshot(index: Index): void {
    assert(index > 0, 'progress: a snapshot without index');
    this.resetState(ProgressState.Snapshot);
    this.pendingSnapshot = index;
    this.next = Math.max(index, this.match) + 1;
    this.sentCommit = index;
    this.checkInvariants();
  }

  /**
   * The follower holds a snapshot, at whichever index, from which the log can go on: replicates after
   * `match`. The commit index that the snapshot implied counts as sent. Only in Snapshot.
   */
  becomeReplicateAfterSnapshot(): void {
    assert(this.state === ProgressState.Snapshot, 'progress: no snapshot was sent');
    this.sentCommit = Math.min(this.sentCommit, this.probeStart() - 1);
    this.becomeReplicate();
  }

  /** The snapshot was lost: probes after `match` and not after the snapshot (E11). Only in Snapshot. */
  snapshotFailed(): void {
    assert(this.state === ProgressState.Snapshot, 'progress: no snapshot was sent');
    this.pendingSnapshot = 0;
    this.becomeProbe();
  }

  /**
   * Counts a MsgApp that was just sent, and pauses the flow if no more may follow. Not in Snapshot.
   *
   * @param count its entries, which start at `next`.
   * @param bytes their payload.
   */
  sentEntries(count: number, bytes: number): void {
    switch (this.state) {
      case ProgressState.Replicate:
        if (count > 0) {
          this.next += count;
          this.inflights.add(this.next - 1, bytes);
        }
        this.msgAppFlowPaused = this.inflights.full();
        return;
      case ProgressState.Probe:
        if (count > 0) this.msgAppFlowPaused = true;
        return;
      default:
        panic('progress: MsgApp during a snapshot');
    }
  }

  /** Whether telling this commit index could move the follower's own, which ends at what it was sent. */
  canBumpCommit(commit: Index): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** The follower was sent this commit index. */
  sentCommitTo(commit: Index): void {
    this.sentCommit = commit;
  }

  /** Raises `match` to an acknowledged index and resumes the flow; false for one that is not news. */
  maybeUpdate(index: Index): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (this.next <= index) this.next = index + 1;
    this.msgAppFlowPaused = false;
    return true;
  }

  /**
   * Takes in a rejected MsgApp: sends from an earlier index. Replicate turns into Probe after `match`.
   * False, and nothing changed, for a rejection of something that was answered since (E10).
   *
   * @param rejected index before the first entry of the rejected MsgApp.
   * @param matchHint highest index at which the logs may agree.
   */
  maybeDecrTo(rejected: Index, matchHint: Index): boolean {
    if (this.state === ProgressState.Replicate) {
      if (rejected <= this.match) return false;
      this.becomeProbe();
      return true;
    }
    // Outside of Replicate one message is under way at a time, and it was sent from next.
    if (rejected !== this.next - 1) return false;
    this.next = Math.max(Math.min(rejected, matchHint + 1), this.match + 1);
    this.lowerSentCommit();
    this.msgAppFlowPaused = false;
    this.checkInvariants();
    return true;
  }

  /** Whether no MsgApp may be sent now. */
  isPaused(): boolean {
    return this.msgAppFlowPaused || this.state === ProgressState.Snapshot || this.quarantined;
  }

  /** Lets the next MsgApp through, as after a heartbeat response (E7). */
  resumeFlow(): void {
    this.msgAppFlowPaused = false;
  }

  /** Holds MsgApps back until the follower is heard. */
  pauseFlow(): void {
    this.msgAppFlowPaused = true;
  }

  /** A copy that shares nothing with this one, for the peer as a learner or as a voter. */
  withRole(isLearner: boolean): Progress {
    const reversion = this.reversion === null ? null : { ...this.reversion };
    return new Progress({ ...this, isLearner, reversion, inflights: this.inflights.clone() });
  }

  /** Panics unless the fields fit together. */
  checkInvariants(): void {
    if (this.match < 0 || this.match >= this.next) panic(`progress: match ${this.match} is not below next ${this.next}`);
    if (this.state !== ProgressState.Snapshot) assert(this.pendingSnapshot === 0, 'progress: stale pendingSnapshot');
    if (this.state !== ProgressState.Replicate) assert(this.inflights.count === 0, 'progress: in flight while not replicating');
  }

  /** Where a probe begins. A pending snapshot tells where the follower will stand; below it a rejection is certain. */
  private probeStart(): Index {
    return Math.max(this.match, this.pendingSnapshot) + 1;
  }

  private resetState(state: ProgressState): void {
    this.state = state;
    this.pendingSnapshot = 0;
    this.msgAppFlowPaused = false;
    this.inflights.reset();
  }

  /** What was sent at or after next may be lost, and the commit index with it. */
  private lowerSentCommit(): void {
    if (this.sentCommit >= this.next) this.sentCommit = this.next - 1;
  }
}

import type { ResolvedConfig } from '../config.js';
import type { RaftLog } from '../log/raftLog.js';
import type { Logger } from '../logger.js';
import type { Message } from '../raftpb/message.js';
import type { ProgressTracker } from '../tracker/progressTracker.js';
import type { TraceLogger } from '../trace.js';
import { emptyList, None, StateType, type Index, type NodeId, type Term } from '../types.js';
import { ReadOnly, type PendingRead } from './readOnly.js';
import type { StepResult } from './stepResult.js';

/** Answer to `readIndex`: once the state machine has applied `index`, the read is linearizable. */
export interface ReadState {
  /** What the state machine must have applied before the read is served. */
  readonly index: Index;
  /** The bytes given to `readIndex`. */
  readonly requestContext: Uint8Array;
}

/** A read that will never be answered, because the leadership it waited for was lost (D6). Ask again. */
export interface AbortedRead {
  /** The bytes given to `readIndex`. */
  readonly requestContext: Uint8Array;
  /** The node that was to answer no longer leads. */
  readonly reason: 'leadershipLost';
}

/**
 * The state of one node, grouped as in Raft Figure 2, and no behaviour: functions grouped by protocol
 * concern change it. Only `transitions.ts` writes `state`, only `outbox.ts` adds messages.
 */
export class Raft {
  readonly id: NodeId;
  readonly config: ResolvedConfig;
  readonly logger: Logger;
  readonly trace: TraceLogger | null;

  // -- Persistent state on all servers

  /** Latest term seen. */
  term: Term = 0;
  /** Candidate that got our vote in this term, or None. */
  vote: NodeId = None;
  /** The log, with the commit and the apply index (volatile state on all servers). */
  readonly log: RaftLog;

  // -- Volatile state on all servers

  state: StateType = StateType.Follower;
  /** Leader of this term as far as we know, or None. */
  lead: NodeId = None;
  /** Active configuration, the progress of every member and the votes of a candidate. Kept by every role. */
  readonly tracker: ProgressTracker;
  /** Ticks since a leader was heard or a vote granted; on a leader, since the last check of its quorum. */
  electionElapsed = 0;
  /** Ticks for which this node, just restarted, does not vote: before, it may have promised a leader not to (`strictReads`). */
  votesHeldTicks = 0;
  /** Ticks since the last heartbeat of a leader. */
  heartbeatElapsed = 0;
  /** Drawn from [electionTick, 2 electionTick) with every change of role, so that splits of votes are rare (Raft §5.2). */
  randomizedElectionTimeout = 0;
  /**
   * Highest index that this node has acknowledged in this term. Infinity if it was started in this term,
   * because it may have acknowledged more before, or started without any, because it may have been given its log.
   */
  ackedInTerm: Index = Infinity;
  /** This node has acknowledged entries up to here and lost them, as a leader has told (O12); 0 if that never happened. Whether it still matters: `hasLostLog`. */
  lostUpTo: Index = 0;
  /** Term of the leader that told so last. */
  lostInTerm: Term = 0;
  /** A change at or below this index is part of the configuration that a snapshot has restored (D14). */
  restoredConfIndex: Index = 0;

  // -- Volatile state on leaders; neutral on every other role

  /** Member that leadership is being handed to, or None. */
  leadTransferee: NodeId = None;
  /** Whether a MsgTimeoutNow went out in this term: another leader may exist, so the lease is worth nothing (D4). */
  timeoutNowSent = false;
  /** Configuration changes are refused until this index is applied. */
  pendingConfIndex: Index = 0;
  /** Bytes of data in entries that are not applied yet; counted against `maxUncommittedEntriesSize`. */
  uncommittedSize = 0;
  /** Ticks of this leadership, counted from 1; what leases are measured in (D13). 0 on other roles. */
  leaderTicks = 0;
  /** Reads that wait for a quorum. */
  readOnly: ReadOnly;
  /** Reads that wait for the first commit of our own term (D2). */
  pendingReads: PendingRead[] = [];

  // -- What the next Ready will hand out

  /** Messages that may leave at once. */
  msgs: readonly Message[] = emptyList;
  /** Messages that may leave only after our log and hard state are durable. */
  msgsAfterAppend: readonly Message[] = emptyList;
  readStates: ReadState[] = [];
  abortedReads: AbortedRead[] = [];

  // -- Counters

  /** Messages that were refused, by reason; null as long as there are none. */
  refused: Map<StepResult, number> | null = null;
  /** Committed configuration changes that had no effect (D8). */
  ignoredConfChanges = 0;
  /** Followers found, as a leader, to have lost entries that they had acknowledged (O12). */
  quarantines = 0;
  /** Questions asked of such followers, so that no two are alike (`reversion.ts`). */
  questionCount = 0;

  constructor(config: ResolvedConfig, log: RaftLog, tracker: ProgressTracker) {
    this.id = config.id;
    this.config = config;
    this.logger = config.logger;
    this.trace = config.trace;
    this.log = log;
    this.tracker = tracker;
    this.readOnly = new ReadOnly(config.readOnlyOption);
  }
}

/** A node id as logs and message descriptions print it. */
export function hexId(id: NodeId): string {
  return id.toString(16);
}

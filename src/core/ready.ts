import type { Entry } from './raftpb/entry.js';
import { entriesSize } from './raftpb/entry.js';
import type { Message } from './raftpb/message.js';
import type { HardState, Snapshot } from './raftpb/state.js';
import type { AbortedRead, Raft, ReadState } from './raft/raft.js';
import { handleStorageAppendResponse, handleStorageApplyResponse } from './raft/applied.js';
import { added } from './raft/outbox.js';
import { step } from './raft/step.js';
import { needsStorageAppend, newStorageAppend, newStorageApply } from './storageMessages.js';
import type { StateType} from './types.js';
import { emptyList, None, type Index, type NodeId, type Term } from './types.js';

/** What a node is right now. Lost in a crash, and needs no saving. */
export interface SoftState {
  /** Leader as far as this node knows, or `None`. */
  readonly lead: NodeId;
  /** Role of this node. */
  readonly state: StateType;
}

/**
 * Everything that waits for the host. In this order: make `snapshot`, `entries` and `hardState` durable
 * (with a sync if `mustSync`), send `messages`, apply `snapshot` and `committedEntries` to the state
 * machine, call `advance`. Nothing in it is changed afterwards, by the node or by the host.
 */
export interface Ready {
  /** Leader and role, if either has changed; else null. */
  readonly softState: SoftState | null;
  /** What must be saved before `messages` are sent, if it has changed; else null. */
  readonly hardState: HardState | null;
  /** Reads that may be served as soon as their index is applied. */
  readonly readStates: readonly ReadState[];
  /** Reads that will never be answered (D6). */
  readonly abortedReads: readonly AbortedRead[];
  /**
   * Entries to append to the log before `messages` are sent. The first may replace older ones: everything from its
   * index on. If very many wait, others follow in the next Ready (`maxEntriesPerReady`).
   */
  readonly entries: readonly Entry[];
  /** A snapshot to save and to restore the state machine from, before anything else; or null. */
  readonly snapshot: Snapshot | null;
  /** Entries to apply to the state machine, in order, configuration changes through `applyConfChange`. Each is durable on a quorum. */
  readonly committedEntries: readonly Entry[];
  /**
   * Messages to send once the above is durable. With `asyncStorageWrites` they may be sent at once, and
   * those to the storage threads go to the threads.
   */
  readonly messages: readonly Message[];
  /**
   * Whether the write of `entries` and `hardState` must be synced to the disk: entries, term or vote have
   * changed (E13). A new commit index alone can wait. A `snapshot` must always be synced.
   */
  readonly mustSync: boolean;
}

/** The way from the node's state to a Ready, and from `advance` back. Remembers what the host knows already. */
export class ReadyCollector {
  readonly #raft: Raft;
  #prevLead: NodeId;
  #prevState: StateType;
  #prevTerm: Term;
  #prevVote: NodeId;
  #prevCommit: Index;

  // What `advance` will acknowledge, synchronous writes only.
  #accepted = false;
  #selfMessages: readonly Message[] = emptyList;
  // What a storage thread would answer. Not in a message: that would be one for each Ready.
  #writeTerm: Term = 0;
  #writeIndex: Index = 0;
  #writeLogTerm: Term = 0;
  #writeSnapshot: Snapshot | null = null;
  #applyEntries: readonly Entry[] = emptyList;
  #applySize = 0;

  constructor(raft: Raft) {
    this.#raft = raft;
    this.#prevLead = raft.lead;
    this.#prevState = raft.state;
    this.#prevTerm = raft.term;
    this.#prevVote = raft.vote;
    this.#prevCommit = raft.log.committed;
  }

  /** Makes the next Ready report the whole hard state: the storage has none yet. */
  forgetHardState(): void {
    this.#prevTerm = 0;
    this.#prevVote = None;
    this.#prevCommit = 0;
  }

  /** Whether a Ready was taken and `advance` not called yet. */
  get accepted(): boolean {
    return this.#accepted;
  }

  /** Whether `collect` would have anything to say. */
  hasReady(): boolean {
    const raft = this.#raft;
    const log = raft.log;
    return (
      raft.msgs.length > 0 ||
      raft.msgsAfterAppend.length > 0 ||
      log.unstable.hasNextEntries() ||
      log.hasNextCommittedEntries(!raft.config.asyncStorageWrites) ||
      this.#softStateChanged() ||
      this.#hardStateChanged() ||
      log.unstable.nextSnapshot() !== null ||
      raft.readStates.length > 0 ||
      raft.abortedReads.length > 0
    );
  }

  /** Takes out everything that waits. */
  collect(): Ready {
    const raft = this.#raft;
    const log = raft.log;
    const async = raft.config.asyncStorageWrites;
    const entries = log.unstable.nextEntries();
    const last = entries.length > 0 ? entries[entries.length - 1]!.index : log.lastIndex();
    const isWhole = last === log.lastIndex();
    const committedEntries = log.nextCommittedEntries(!async && isWhole);
    const snapshot = log.unstable.nextSnapshot();
    const mustSync = entries.length > 0 || raft.term !== this.#prevTerm || raft.vote !== this.#prevVote;
    const hardState = this.#takeHardState(last);
    const softState = this.#takeSoftState();
    const messages = async
      ? this.#packStorageMessages({ entries, hardState, snapshot }, committedEntries)
      : this.#messagesAfterWrite(isWhole, last);
    const applySize = entriesSize(committedEntries);
    if (!async) this.#noteForAdvance(snapshot, committedEntries, applySize, last);
    const readStates = raft.readStates.length > 0 ? raft.readStates : emptyList;
    const abortedReads = raft.abortedReads.length > 0 ? raft.abortedReads : emptyList;

    if (readStates.length > 0) raft.readStates = [];
    if (abortedReads.length > 0) raft.abortedReads = [];
    log.unstable.acceptInProgress(last);
    if (committedEntries.length > 0) {
      log.acceptApplying(committedEntries[committedEntries.length - 1]!.index, applySize, !async && isWhole);
    }
    return { softState, hardState, readStates, abortedReads, entries, snapshot, committedEntries, messages, mustSync };
  }

  #softStateChanged(): boolean {
    return this.#raft.lead !== this.#prevLead || this.#raft.state !== this.#prevState;
  }

  #takeSoftState(): SoftState | null {
    if (!this.#softStateChanged()) return null;
    this.#prevLead = this.#raft.lead;
    this.#prevState = this.#raft.state;
    return { lead: this.#prevLead, state: this.#prevState };
  }

  /** @param last index of the last entry that will be durable with it: a commit index beyond would be no hard state. */
  #hardStateChanged(last = Infinity): boolean {
    const raft = this.#raft;
    return raft.term !== this.#prevTerm || raft.vote !== this.#prevVote || Math.min(raft.log.committed, last) !== this.#prevCommit;
  }

  #takeHardState(last: Index): HardState | null {
    if (!this.#hardStateChanged(last)) return null;
    const { term, vote, log } = this.#raft;
    this.#prevTerm = term;
    this.#prevVote = vote;
    this.#prevCommit = Math.min(log.committed, last);
    return { term, vote, commit: this.#prevCommit };
  }

  /**
   * With synchronous writes everything in a Ready is sent after the write, so what had to wait for it just follows.
   *
   * @param isWhole whether nothing is left to write.
   * @param last index of the last entry that will be durable.
   */
  #messagesAfterWrite(isWhole: boolean, last: Index): readonly Message[] {
    const raft = this.#raft;
    const waiting = raft.msgsAfterAppend;
    const count = isWhole ? waiting.length : countDurable(waiting, last);
    let messages = raft.msgs;
    for (let i = 0; i < count; i++) {
      const m = waiting[i]!;
      if (m.to === raft.id) this.#selfMessages = added(this.#selfMessages, m);
      else messages = added(messages, m);
    }
    if (count > 0) raft.msgsAfterAppend = isWhole ? emptyList : waiting.slice(count);
    raft.msgs = emptyList;
    return messages;
  }

  #packStorageMessages(work: Pick<Ready, 'entries' | 'hardState' | 'snapshot'>, committedEntries: readonly Entry[]): readonly Message[] {
    const raft = this.#raft;
    let messages = raft.msgs;
    raft.msgs = emptyList;
    if (needsStorageAppend(raft, work)) messages = added(messages, newStorageAppend(raft, work));
    if (committedEntries.length > 0) messages = added(messages, newStorageApply(raft, committedEntries));
    return messages;
  }

  #noteForAdvance(snapshot: Snapshot | null, committedEntries: readonly Entry[], applySize: number, last: Index): void {
    const { log, term } = this.#raft;
    this.#accepted = true;
    this.#writeTerm = term;
    this.#writeIndex = log.unstable.count > 0 ? last : 0;
    this.#writeLogTerm = log.term(this.#writeIndex);
    this.#writeSnapshot = snapshot;
    this.#applyEntries = committedEntries;
    this.#applySize = applySize;
  }

  /** The host has done what the last Ready asked for: the part that the storage threads' answers play otherwise. */
  advance(): void {
    const raft = this.#raft;
    this.#accepted = false;
    const selfMessages = this.#selfMessages;
    if (selfMessages.length > 0) {
      this.#selfMessages = emptyList;
      for (const m of selfMessages) step(raft, m);
    }
    handleStorageAppendResponse(raft, this.#writeTerm, this.#writeIndex, this.#writeLogTerm, this.#writeSnapshot);
    handleStorageApplyResponse(raft, this.#applyEntries, this.#applySize);
    this.#writeSnapshot = null;
    this.#applyEntries = emptyList;
  }
}

/**
 * How many of the messages may leave once the entries up to `last` are durable. What is left to write may not be
 * acknowledged. All that was said after such an acknowledgement may rest on the same entries, and waits behind it.
 */
function countDurable(waiting: readonly Message[], last: Index): number {
  const first = waiting.findIndex((m) => m.index > last && !m.reject);
  return first < 0 ? waiting.length : first;
}

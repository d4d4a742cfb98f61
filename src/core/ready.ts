import type { Entry } from './raftpb/entry.js';
import { entriesSize } from './raftpb/entry.js';
import type { Message } from './raftpb/message.js';
import { isEmptyHardState, type HardState, type Snapshot } from './raftpb/state.js';
import type { AbortedRead, Raft, ReadState } from './raft/raft.js';
import { handleStorageAppendResponse, handleStorageApplyResponse } from './raft/applied.js';
import { step } from './raft/step.js';
import { needsStorageAppend, newStorageAppend, newStorageAppendResponse, newStorageApply } from './storageMessages.js';
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
  /** Entries to append to the log before `messages` are sent. The first may replace older ones: everything from its index on. */
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
  #selfMessages: Message[] = [];
  /** What a storage thread would answer. */
  #written: Message | null = null;
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
      log.hasNextUnstableEntries() ||
      log.hasNextCommittedEntries(!raft.config.asyncStorageWrites) ||
      this.#softStateChanged() ||
      (this.#hardStateChanged() && !isEmptyHardState(this.#hardState())) ||
      log.nextUnstableSnapshot() !== null ||
      raft.readStates.length > 0 ||
      raft.abortedReads.length > 0
    );
  }

  /** Takes out everything that waits. */
  collect(): Ready {
    const raft = this.#raft;
    const log = raft.log;
    const async = raft.config.asyncStorageWrites;
    const entries = log.nextUnstableEntries();
    const committedEntries = log.nextCommittedEntries(!async);
    const snapshot = log.nextUnstableSnapshot();
    const mustSync = entries.length > 0 || raft.term !== this.#prevTerm || raft.vote !== this.#prevVote;
    const hardState = this.#takeHardState();
    const softState = this.#takeSoftState();
    const messages = async
      ? this.#packStorageMessages({ entries, hardState, snapshot }, committedEntries)
      : this.#messagesAfterWrite();
    const applySize = entriesSize(committedEntries);
    if (!async) this.#noteForAdvance(snapshot, committedEntries, applySize);
    const readStates = raft.readStates.length > 0 ? raft.readStates : emptyList;
    const abortedReads = raft.abortedReads.length > 0 ? raft.abortedReads : emptyList;

    if (readStates.length > 0) raft.readStates = [];
    if (abortedReads.length > 0) raft.abortedReads = [];
    log.acceptUnstable();
    if (committedEntries.length > 0) {
      log.acceptApplying(committedEntries[committedEntries.length - 1]!.index, applySize, !async);
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

  #hardStateChanged(): boolean {
    const raft = this.#raft;
    return raft.term !== this.#prevTerm || raft.vote !== this.#prevVote || raft.log.committed !== this.#prevCommit;
  }

  #hardState(): HardState {
    return { term: this.#raft.term, vote: this.#raft.vote, commit: this.#raft.log.committed };
  }

  #takeHardState(): HardState | null {
    if (!this.#hardStateChanged()) return null;
    const hardState = this.#hardState();
    this.#prevTerm = hardState.term;
    this.#prevVote = hardState.vote;
    this.#prevCommit = hardState.commit;
    return hardState;
  }

  /** With synchronous writes everything in a Ready is sent after the write, so what had to wait for it just follows. */
  #messagesAfterWrite(): readonly Message[] {
    const raft = this.#raft;
    const messages = raft.msgs;
    const afterAppend = raft.msgsAfterAppend;
    for (let i = 0; i < afterAppend.length; i++) {
      const m = afterAppend[i]!;
      if (m.to === raft.id) this.#selfMessages.push(m);
      else messages.push(m);
    }
    if (afterAppend.length > 0) raft.msgsAfterAppend = [];
    if (messages.length === 0) return emptyList;
    raft.msgs = [];
    return messages;
  }

  #packStorageMessages(work: Pick<Ready, 'entries' | 'hardState' | 'snapshot'>, committedEntries: readonly Entry[]): readonly Message[] {
    const raft = this.#raft;
    const messages = raft.msgs;
    raft.msgs = [];
    if (needsStorageAppend(raft, work)) messages.push(newStorageAppend(raft, work));
    if (committedEntries.length > 0) messages.push(newStorageApply(raft, committedEntries));
    return messages;
  }

  #noteForAdvance(snapshot: Snapshot | null, committedEntries: readonly Entry[], applySize: number): void {
    const raft = this.#raft;
    this.#accepted = true;
    this.#written = newStorageAppendResponse(raft, snapshot);
    this.#applyEntries = committedEntries;
    this.#applySize = applySize;
  }

  /** The host has done what the last Ready asked for: the part that the storage threads' answers play otherwise. */
  advance(): void {
    const raft = this.#raft;
    this.#accepted = false;
    const selfMessages = this.#selfMessages;
    if (selfMessages.length > 0) {
      this.#selfMessages = [];
      for (const m of selfMessages) step(raft, m);
    }
    if (this.#written !== null) handleStorageAppendResponse(raft, this.#written);
    handleStorageApplyResponse(raft, this.#applyEntries, this.#applySize);
    this.#written = null;
    this.#applyEntries = emptyList;
  }
}

import { bootstrap, checkBootstrap, type Peer } from './bootstrap.js';
import { resolveConfig, type Config } from './config.js';
import { RaftError, RaftErrorCode } from './errors.js';
import type { ConfChange, ConfChangeV2 } from './raftpb/confChange.js';
import { isConfChangeV1 } from './raftpb/confChange.js';
import { encodeConfChange } from './raftpb/confChangeWire.js';
import { EntryType, isConfChangeEntry, newEntry, type Entry } from './raftpb/entry.js';
import { newMessage, type Message } from './raftpb/message.js';
import { MessageType } from './raftpb/messageType.js';
import type { ConfState } from './raftpb/state.js';
import { applyConfChange } from './raft/membership.js';
import { newRaft } from './raft/newRaft.js';
import { hexId, type Raft } from './raft/raft.js';
import { allowNextRevert, refuseRevert } from './raft/reversion.js';
import { step, stepStorage } from './raft/step.js';
import { isProposalDrop, StepResult } from './raft/stepResult.js';
import { tick } from './raft/tick.js';
import { validateMessage } from './raft/validate.js';
import { isEntry, isStorageResponse } from './raft/validateLocal.js';
import { ReadyCollector, type Ready } from './ready.js';
import { basicStatus, progressStatus, status, type BasicStatus, type ProgressStatus, type Status } from './status.js';
import { isBytes, isNodeId, None, SnapshotStatus, StateType, type EntryId, type NodeId } from './types.js';

// Made once: a closure for each call would be a tenth of what a busy node leaves to the garbage collector.
const collect = (_raft: Raft, ready: ReadyCollector): Ready => ready.collect();
const advance = (_raft: Raft, ready: ReadyCollector): void => ready.advance();

let raftOf: (node: RawNode) => Raft;
let runOn: <T>(node: RawNode, work: (raft: Raft) => T) => T;

/**
 * One member of a Raft group: a state machine without threads, clocks or I/O. The host calls `tick` at
 * even intervals, gives it the messages of its peers with `step`, carries out what `ready` says, and
 * then calls `advance`.
 *
 * No call may be made while another is running (from a logger, say). After an error with the code
 * `ERR_RAFT_INVARIANT_VIOLATED` or `ERR_RAFT_STORAGE_FAILED` every further call fails with
 * `ERR_RAFT_NODE_STOPPED`: its memory can no longer be trusted, start anew from the storage (D11).
 *
 * Bytes given to `step`, `propose` and `readIndex` are kept, not copied: they must not be changed
 * afterwards.
 */
export class RawNode {
  readonly #raft: Raft;
  readonly #ready: ReadyCollector;
  #failure: unknown = undefined;
  #failed = false;
  #running = false;

  static {
    raftOf = (node) => node.#raft;
    runOn = (node, work) => node.#run(work);
  }

  /**
   * A follower in the state that its storage describes.
   *
   * @throws RaftError `ERR_RAFT_CONFIG_INVALID` if an option is not what it must be, `ERR_RAFT_STORAGE_FAILED`
   *   if the storage cannot be read or contradicts itself.
   */
  constructor(config: Config) {
    this.#raft = newRaft(resolveConfig(config));
    this.#ready = new ReadyCollector(this.#raft);
  }

  /** One unit of time has passed: elections, heartbeats and leases are counted in ticks. */
  tick(): void {
    this.#run(tick);
  }

  /**
   * Takes in a message of another node.
   *
   * Whatever it contains, nothing is thrown for it. A message that is refused changes nothing; the result
   * says why, and `status().refused` counts it (D9). `ok` also stands for messages that were rightly
   * ignored, such as those of an older term.
   */
  step(m: Message): StepResult {
    this.#enter();
    try {
      const verdict = validateMessage(this.#raft, m);
      if (verdict !== StepResult.Ok) return this.#refuse(m, verdict);
      return step(this.#raft, m);
    } catch (error) {
      return this.#fail(error);
    } finally {
      this.#running = false;
    }
  }

  /**
   * Takes in a `responses` message addressed to this node, once the local storage thread has done the
   * work it belongs to. Only with `asyncStorageWrites`.
   *
   * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if it is not such a message, or one to another node;
   *   `ERR_RAFT_CALL_ORDER` if writes are synchronous.
   */
  stepStorageResponse(m: Message): StepResult {
    this.#check();
    if (!this.#raft.config.asyncStorageWrites) throw wrongOrder('stepStorageResponse: writes are synchronous');
    if (!isStorageResponse(this.#raft, m)) throw invalid('stepStorageResponse: no answer of a storage thread');
    return this.#run((raft) => stepStorage(raft, m));
  }

  /**
   * Starts an election at once (E2). Harmless where it makes no sense: the result says if the node leads
   * already (`alreadyLeader`), is no voter (`notVoter`), keeps a lease (`leaseBased`), or must first apply a snapshot
   * (`snapshotPending`) or a configuration change (`confChangePending`) (E1, E3).
   */
  campaign(): StepResult {
    return this.#local(newMessage(MessageType.MsgHup, this.#raft.id));
  }

  /**
   * Proposes data for the log. A follower sends it on to its leader, once; the library never retries.
   *
   * Being accepted is not being committed: watch for the entry in `committedEntries`. If another entry
   * appears at its index, it was lost, and may be proposed again.
   *
   * @returns on a leader the index and term that the entry got, on a follower null.
   * @throws RaftError `ERR_RAFT_PROPOSAL_DROPPED` with a `reason` if nothing was appended or sent (D12).
   */
  propose(data: Uint8Array): EntryId | null {
    this.#check();
    if (!isBytes(data)) throw invalid('propose: the data must be bytes');
    return this.#propose(newEntry(EntryType.EntryNormal, data));
  }

  /**
   * Proposes a configuration change; an empty `ConfChangeV2` leaves a joint configuration. It takes
   * effect when it is applied with `applyConfChange`, on every node for itself.
   *
   * @returns on a leader the index and term that the entry got, on a follower null.
   * @throws RaftError `ERR_RAFT_PROPOSAL_DROPPED` with a `reason`: as for `propose`, and if another change
   *   is not applied yet, or this one cannot be carried out on the active configuration (D1).
   *   `ERR_RAFT_ARGUMENT_INVALID` if it is not a configuration change.
   */
  proposeConfChange(change: ConfChange | ConfChangeV2): EntryId | null {
    this.#check();
    const data = encodeConfChange(change);
    return this.#propose(newEntry(isConfChangeV1(change) ? EntryType.EntryConfChange : EntryType.EntryConfChangeV2, data));
  }

  /**
   * Carries out a committed configuration change. Call it for every entry of `committedEntries` that is
   * not an EntryNormal, in order; a host that does not want the change must call it all the same.
   *
   * @returns the configuration now in force, or null if the change had no effect: it was invalid
   *   (D8), or a snapshot has already brought the node beyond it (D14).
   * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if no configuration change.
   */
  applyConfChange(entry: Entry): ConfState | null {
    this.#check();
    if (!isEntry(entry) || !isConfChangeEntry(entry)) throw invalid('applyConfChange: no configuration change');
    return this.#run((raft) => applyConfChange(raft, entry));
  }

  /**
   * Asks for an index at which a read is linearizable (dissertation §6.4). The answer comes with a later
   * Ready in `readStates`: serve the read once that index is applied.
   *
   * A read of a follower may be lost on its way: use a timeout.
   *
   * @param requestContext comes back with the answer; opaque to the core.
   * @returns `ok`, or why there will be no answer, such as `noLeader`.
   * @throws RaftError `ERR_RAFT_ARGUMENT_INVALID` if the context is not bytes.
   */
  readIndex(requestContext: Uint8Array): StepResult {
    this.#check();
    if (!isBytes(requestContext)) throw invalid('readIndex: the context must be bytes');
    const m = newMessage(MessageType.MsgReadIndex, None);
    m.entries = [newEntry(EntryType.EntryNormal, requestContext)];
    return this.#local(m);
  }

  /**
   * Asks the leader to hand over to `transferee` (dissertation §3.10). It does so as soon as that node is
   * up to date; after an election timeout it gives up.
   *
   * @returns `ok`, or why nothing is done: `noLeader`, `alreadyLeader`, `notVoter`, or `transferring` if that transfer
   *   is under way.
   */
  transferLeader(transferee: NodeId): StepResult {
    const m = newMessage(MessageType.MsgTransferLeader, None);
    m.from = this.#checkedId('transferLeader', transferee);
    return this.#local(m);
  }

  /**
   * Makes a follower forget its leader, so that it grants pre-votes without waiting for an election
   * timeout. For a host that knows the leader to be dead.
   *
   * @returns `ok`, `alreadyLeader` on the leader, or `leaseBased` where leases forbid it.
   */
  forgetLeader(): StepResult {
    return this.#local(newMessage(MessageType.MsgForgetLeader, this.#raft.id));
  }

  /** Reports that the last message to `id` was lost. On a leader replication to it falls back to probing; elsewhere nothing happens. */
  reportUnreachable(id: NodeId): StepResult {
    const m = newMessage(MessageType.MsgUnreachable, this.#raft.id);
    m.from = this.#checkedId('reportUnreachable', id);
    return this.#local(m);
  }

  /**
   * Reports how sending a snapshot to `id` ended. Must be called after every MsgSnap, since nothing else
   * is sent to that node until it acknowledges the snapshot or the host reports.
   */
  reportSnapshot(id: NodeId, outcome: SnapshotStatus): StepResult {
    const m = newMessage(MessageType.MsgSnapStatus, this.#raft.id);
    m.from = this.#checkedId('reportSnapshot', id);
    m.reject = outcome === SnapshotStatus.Failure;
    return this.#local(m);
  }

  /**
   * Permits the log of one member to go back once, after its disk was wiped or a backup restored, or
   * withdraws that. Without permission such a member is quarantined as soon as it is found out: nothing
   * is sent to it, and nothing from it counts. With it, replication to it starts over. The permission is
   * used up by the first reversion, and ends with the term of this leader (O13).
   *
   * Permitting it can lose data: the member may have been the one that made a majority. Read
   * `docs/reverted-follower.md` first.
   *
   * @throws RaftError `ERR_RAFT_REVERT_REFUSED` with the reason `notLeader` or `peerNotFound`.
   */
  allowNextRevert(id: NodeId, allow: boolean): void {
    this.#check();
    const reason = refuseRevert(this.#raft, id);
    if (reason !== null) throw new RaftError(RaftErrorCode.RevertRefused, `allowNextRevert refused: ${reason}`, { reason });
    this.#run((raft) => allowNextRevert(raft, id, allow));
  }

  /** Whether `ready` has anything to say. False between `ready` and `advance` only if nothing new has come up. */
  hasReady(): boolean {
    this.#check();
    return this.#ready.hasReady();
  }

  /**
   * Takes out everything that waits for the host; see {@link Ready} for what to do with it and in which order.
   *
   * @throws RaftError `ERR_RAFT_CALL_ORDER` if `advance` was not called after the last one, unless writes are asynchronous.
   */
  ready(): Ready {
    this.#check();
    if (this.#ready.accepted) throw wrongOrder('ready: the last Ready was not advanced');
    return this.#run(collect);
  }

  /**
   * Tells that the last Ready is done: saved, sent, applied.
   *
   * @param _ready the Ready in question; for the reader, the node remembers it.
   * @throws RaftError `ERR_RAFT_CALL_ORDER` without a Ready before, or if writes are asynchronous.
   */
  advance(_ready?: Ready): void {
    this.#check();
    if (this.#raft.config.asyncStorageWrites) throw wrongOrder('advance: writes are asynchronous');
    if (!this.#ready.accepted) throw wrongOrder('advance: no Ready before');
    this.#run(advance);
  }

  /** State, configuration and progress, copied. */
  status(): Status {
    this.#check();
    return status(this.#raft);
  }

  /** State without configuration and progress, copied. */
  basicStatus(): BasicStatus {
    this.#check();
    return basicStatus(this.#raft);
  }

  /** Visits a copy of every member's progress, in ascending order of ids. On other roles than the leader's the numbers mean nothing. */
  withProgress(visitor: (id: NodeId, progress: ProgressStatus) => void): void {
    this.#check();
    const { ids, progresses } = this.#raft.tracker;
    // Copies first: the visitor may call the node.
    const copies = progresses.map(progressStatus);
    [...ids].forEach((id, i) => visitor(id, copies[i]!));
  }

  /**
   * Starts a new group on an empty storage: all voters at once. Give every node the same peers in the
   * same order. Then handle a Ready, and let one node `campaign` (E2, O9).
   *
   * The other way is a snapshot with the first configuration in the storage of every node.
   *
   * @throws RaftError `ERR_RAFT_ALREADY_BOOTSTRAPPED` or `ERR_RAFT_ARGUMENT_INVALID`; nothing is changed then.
   */
  bootstrap(peers: readonly Peer[]): void {
    this.#check();
    checkBootstrap(this.#raft, peers);
    this.#run((raft) => {
      bootstrap(raft, peers);
      this.#ready.forgetHardState();
    });
  }

  #propose(entry: Entry): EntryId | null {
    const m = newMessage(MessageType.MsgProp, None);
    m.from = this.#raft.id;
    m.entries = [entry];
    const result = this.#local(m);
    if (isProposalDrop(result)) {
      throw new RaftError(RaftErrorCode.ProposalDropped, `proposal dropped: ${result}`, { reason: result });
    }
    const raft = this.#raft;
    return raft.state === StateType.Leader ? { term: raft.term, index: raft.log.lastIndex() } : null;
  }

  /** A call of the host as the message it stands for. */
  #local(m: Message): StepResult {
    this.#enter();
    try {
      return step(this.#raft, m);
    } catch (error) {
      return this.#fail(error);
    } finally {
      this.#running = false;
    }
  }

  #refuse(m: Message, reason: StepResult): StepResult {
    const raft = this.#raft;
    raft.refused ??= new Map();
    raft.refused.set(reason, (raft.refused.get(reason) ?? 0) + 1);
    if (raft.logger.debugEnabled) raft.logger.debug(`${hexId(raft.id)} refuses a message: ${reason}`);
    raft.trace?.trace({ kind: 'refuse', id: raft.id, message: m, reason });
    return reason;
  }

  /** One call. What comes once per message spells this out, so that it needs no closure. */
  #run<T>(work: (raft: Raft, ready: ReadyCollector) => T): T {
    this.#enter();
    try {
      return work(this.#raft, this.#ready);
    } catch (error) {
      return this.#fail(error);
    } finally {
      this.#running = false;
    }
  }

  #check(): void {
    if (this.#failed) {
      throw new RaftError(RaftErrorCode.NodeStopped, `node ${hexId(this.#raft.id)} stopped after an error`, { cause: this.#failure });
    }
    if (this.#running) throw wrongOrder(`node ${hexId(this.#raft.id)} is called inside of a call`);
  }

  #enter(): void {
    this.#check();
    this.#running = true;
  }

  #checkedId(call: string, id: NodeId): NodeId {
    this.#check();
    if (isNodeId(id)) return id;
    throw invalid(`${call}: ${String(id)} cannot be the id of a node`);
  }

  /** Whatever is thrown in the middle of a change leaves it half done. Arguments are checked before, outside of the try. */
  #fail(error: unknown): never {
    this.#failed = true;
    this.#failure = error;
    throw error;
  }
}

function wrongOrder(message: string): RaftError {
  return new RaftError(RaftErrorCode.CallOrder, message);
}

function invalid(message: string): RaftError {
  return new RaftError(RaftErrorCode.ArgumentInvalid, message);
}

/** Does something with the record inside of a node as one of its calls would: an error stops the node. Not part of the public surface. */
export function runInside<T>(node: RawNode, work: (raft: Raft) => T): T {
  return runOn(node, work);
}

/** The record inside of a node, for tests. Not part of the public surface. */
export function internalRaft(node: RawNode): Raft {
  return raftOf(node);
}

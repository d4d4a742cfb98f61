import { EntryType, newEntry, type Entry } from '../../../src/core/raftpb/entry.js';
import { newMessage, type Message } from '../../../src/core/raftpb/message.js';
import { MessageType } from '../../../src/core/raftpb/messageType.js';
import { newConfState, type ConfState, type HardState, type Snapshot } from '../../../src/core/raftpb/state.js';
import type { Raft } from '../../../src/core/raft/raft.js';
import type { Ready } from '../../../src/core/ready.js';
import { StepResult } from '../../../src/core/raft/stepResult.js';
import { MemoryStorage } from '../../../src/core/storage/memoryStorage.js';
import { TrackerConfig } from '../../../src/core/tracker/config.js';
import { Inflights } from '../../../src/core/tracker/inflights.js';
import { Progress } from '../../../src/core/tracker/progress.js';
import { emptyBytes, None, ReadOnlyOption, StateType, type Index, type NodeId, type Term } from '../../../src/core/types.js';
import type { Checker, ClusterView, DurableView, NodeView, ViewSettings } from '../../../src/sim/checker.js';
import { OpOutcome, type ClientOp } from '../../../src/sim/clientOp.js';
import { envelope } from '../../../src/sim/machineHost.js';
import { SimEventKind, SimPhase, type SimEvent } from '../../../src/sim/simEvent.js';

/** The log in memory of a node that never ran: what a checker reads of a RaftLog, with every field writable. */
export class FakeLog {
  /** Entries by index; the first ones are compacted. */
  entries: Entry[] = [];
  offset: Index = 0;
  offsetTerm: Term = 0;
  committed: Index = 0;
  applying: Index = 0;
  applied: Index = 0;

  firstIndex(): Index {
    return this.offset + 1;
  }

  lastIndex(): Index {
    return this.offset + this.entries.length;
  }

  lastTerm(): Term {
    return this.term(this.lastIndex());
  }

  term(index: Index): Term {
    if (index === this.offset) return this.offsetTerm;
    return this.entries[index - this.offset - 1]?.term ?? -1;
  }

  /** Puts an entry at its place and drops what was there and behind. */
  put(entry: Entry): void {
    this.entries.length = entry.index - this.offset - 1;
    this.entries.push(entry);
  }
}

/** A disk whose content is set by hand. */
export class FakeDisk implements DurableView {
  hardState: HardState = { term: 0, vote: None, commit: 0 };
  snapshotIndex: Index = 0;
  readonly log = new FakeLog();

  get offset(): Index {
    return this.log.offset;
  }

  get lastIndex(): Index {
    return this.log.lastIndex();
  }

  get lastTerm(): Term {
    return this.log.lastTerm();
  }

  term(index: Index): Term {
    return index < this.offset ? -1 : this.log.term(index);
  }
}

/** A node that does what a test tells it. */
export class FakeNode implements NodeView {
  readonly id: NodeId;
  up = true;
  incarnation = 0;
  readonly rawNode = null;
  readonly storage = new MemoryStorage();
  readonly durable = new FakeDisk();
  applied: Index = 0;
  confState: ConfState;
  hash = 0;
  readonly log = new FakeLog();
  readonly progress = new Map<NodeId, Progress>();
  /** What checkers see as the record of the node. */
  readonly record: { -readonly [K in 'id' | 'term' | 'vote' | 'state' | 'lead' | 'restoredConfIndex' | 'uncommittedSize']: Raft[K] };
  readonly raft: Raft;

  constructor(id: NodeId, confState: ConfState) {
    this.id = id;
    this.confState = confState;
    const { log, progress } = this;
    const ids = [...confState.voters, ...confState.learners];
    for (const member of ids) progress.set(member, new Progress({ next: 1, inflights: new Inflights(4, Infinity) }));
    const tracker = {
      config: TrackerConfig.fromConfState(confState),
      ids,
      get: (member: NodeId) => progress.get(member),
      get progresses() {
        return ids.map((member) => progress.get(member)!);
      },
    };
    const record = {
      id,
      term: 0,
      vote: None as NodeId,
      state: StateType.Follower as StateType,
      lead: None as NodeId,
      restoredConfIndex: 0,
      uncommittedSize: 0,
      pendingReads: [],
      readOnly: { waiting: [] },
      config: { disableConfChangeValidation: false, disableProposalForwarding: false, loosenFollowerLogRevert: false },
      log,
      tracker,
    };
    this.record = record;
    this.raft = record as unknown as Raft;
  }

  stateHash(): number {
    return this.hash;
  }
}

/** What a Ready is made of; the rest is empty. */
export type ReadyParts = Partial<Pick<Ready, 'entries' | 'hardState' | 'snapshot' | 'committedEntries' | 'messages' | 'mustSync'>>;

/**
 * A cluster that a test plays event by event, in front of the real checkers. The methods emit what a right
 * cluster would; to break an invariant a test changes a node by hand, or emits something else.
 *
 * It begins with a snapshot at 1/1 and the given number of voters.
 */
export class FakeCluster implements ClusterView {
  now = 0;
  readonly steps = 0;
  phase: SimPhase = SimPhase.Safety;
  readonly nodes: FakeNode[] = [];
  readonly electionTimeout = 1000;
  readonly ops: ClientOp[] = [];
  core: readonly NodeId[] = [];
  readonly settings: { -readonly [K in keyof ViewSettings]: ViewSettings[K] } = {
    preVote: true,
    checkQuorum: true,
    asyncStorageWrites: false,
    readOnlyOption: ReadOnlyOption.Safe,
    leasesHold: false,
    maxInflightMsgs: 4,
    electionTick: 10,
    heartbeatTick: 1,
    stepDownOnRemoval: false,
  };
  private readonly checkers: readonly Checker[];

  constructor(checkers: readonly Checker[], voters = 3) {
    this.checkers = checkers;
    const ids = Array.from({ length: voters }, (_, i) => i + 1);
    for (const id of ids) this.nodes.push(new FakeNode(id, newConfState({ voters: ids })));
    this.emit({ kind: SimEventKind.Phase, time: 0, node: None, phase: SimPhase.Safety });
    for (const node of this.nodes) {
      for (const log of [node.log, node.durable.log]) {
        log.offset = 1;
        log.offsetTerm = 1;
        log.committed = log.applying = log.applied = 1;
      }
      node.applied = 1;
      node.record.term = 1;
      node.durable.snapshotIndex = 1;
      node.durable.hardState = { term: 1, vote: None, commit: 1 };
      this.start(node.id);
    }
  }

  node(id: NodeId): FakeNode | undefined {
    return this.nodes.find((node) => node.id === id);
  }

  /** The node of that id, which exists. */
  at(id: NodeId): FakeNode {
    return this.node(id)!;
  }

  emit(event: SimEvent): void {
    this.now = Math.max(this.now, event.time);
    for (const checker of this.checkers) if (checker.kinds.includes(event.kind)) checker.onEvent(event, this);
  }

  start(id: NodeId): void {
    const { durable, incarnation, applied } = this.at(id);
    const { hardState, lastIndex, lastTerm } = durable;
    this.emit({ kind: SimEventKind.Started, time: this.now, node: id, incarnation, hardState, lastIndex, lastTerm, applied });
  }

  /** Takes a role on, with the term and a vote. */
  role(id: NodeId, state: StateType, term: Term, vote: NodeId): void {
    const { record } = this.at(id);
    record.state = state;
    record.term = term;
    record.vote = vote;
    record.lead = state === StateType.Leader ? id : None;
    this.emit({ kind: SimEventKind.Role, time: this.now, node: id, state, term, vote, lead: record.lead });
  }

  /** Emits a Ready; `mustSync` is right unless given. */
  ready(id: NodeId, parts: ReadyParts = {}, pending = false): void {
    const { entries = [], hardState = null, snapshot = null, committedEntries = [], messages = [] } = parts;
    const { hardState: old } = this.at(id).durable;
    const mustSync = parts.mustSync ?? (entries.length > 0 || (hardState !== null && (hardState.term !== old.term || hardState.vote !== old.vote)));
    const ready: Ready = { softState: null, readStates: [], abortedReads: [], hardState, snapshot, entries, committedEntries, messages, mustSync };
    this.emit({ kind: SimEventKind.Ready, time: this.now, node: id, ready, pending });
  }

  /** Writes and syncs. */
  write(id: NodeId, entries: readonly Entry[], hardState: HardState | null): void {
    const { durable } = this.at(id);
    const first = entries[0];
    if (first !== undefined && first.index <= durable.lastIndex) {
      this.emit({ kind: SimEventKind.Truncated, time: this.now, node: id, index: first.index, last: durable.lastIndex });
    }
    this.emit({ kind: SimEventKind.Written, time: this.now, node: id, entries, hardState, snapshot: null });
    for (const entry of entries) durable.log.put(entry);
    if (hardState !== null) durable.hardState = hardState;
    this.emit({ kind: SimEventKind.Synced, time: this.now, node: id });
  }

  /** Hands out term, vote and commit index with entries, and writes it all. */
  persist(id: NodeId, entries: readonly Entry[] = []): void {
    const node = this.at(id);
    const { term, vote } = node.record;
    const hardState = { term, vote, commit: node.log.committed };
    const old = node.durable.hardState;
    const changed = old.term !== term || old.vote !== vote || old.commit !== hardState.commit;
    this.ready(id, { entries, hardState: changed ? hardState : null });
    this.write(id, entries, changed ? hardState : null);
  }

  send(id: NodeId, type: MessageType, fields: Partial<Message> = {}): Message {
    const message = { ...newMessage(type, 0), from: id, term: this.at(id).record.term, ...fields };
    this.emit({ kind: SimEventKind.Send, time: this.now, node: id, message });
    return message;
  }

  /** Steps a message, with whatever it changes in the node. */
  step(id: NodeId, message: Message, effect: () => void = () => {}): void {
    const { term: termBefore, vote: voteBefore } = this.at(id).record;
    this.emit({ kind: SimEventKind.Deliver, time: this.now, node: id, message });
    effect();
    this.emit({ kind: SimEventKind.Stepped, time: this.now, node: id, message, result: StepResult.Ok, termBefore, voteBefore });
  }

  /** An election that the given voters decide, and the leader's first entry on its own disk. */
  elect(id: NodeId, term: Term, voters: readonly NodeId[]): void {
    this.role(id, StateType.Candidate, term, id);
    this.persist(id);
    const { lastIndex: index, lastTerm: logTerm } = this.at(id).durable;
    for (const voter of voters) {
      this.send(id, MessageType.MsgVote, { to: voter, index, logTerm });
      this.role(voter, StateType.Follower, term, None);
      this.at(voter).record.vote = id;
      this.persist(voter);
      this.send(voter, MessageType.MsgVoteResp, { to: id });
    }
    this.role(id, StateType.Leader, term, id);
    for (const [member, progress] of this.at(id).progress) progress.reset(member === id ? index : 0, index + 1);
    this.append(id);
  }

  /** A leader appends an entry; it is on its disk afterwards. */
  append(id: NodeId, data: Uint8Array = emptyBytes, type: EntryType = EntryType.EntryNormal): Entry {
    const node = this.at(id);
    const entry = newEntry(type, data, node.record.term, node.log.lastIndex() + 1);
    if (data.length > 0) this.emit({ kind: SimEventKind.Proposed, time: this.now, node: id, data, term: entry.term, index: entry.index, confChange: type !== EntryType.EntryNormal });
    node.log.put(entry);
    this.persist(id, [entry]);
    node.progress.get(id)?.maybeUpdate(entry.index);
    return entry;
  }

  /** A follower takes over the leader's log up to an index, and acknowledges it. */
  replicate(leader: NodeId, to: NodeId, index: Index): void {
    const source = this.at(leader);
    const node = this.at(to);
    if (node.record.term < source.record.term) this.role(to, StateType.Follower, source.record.term, None);
    const entries = source.log.entries.filter((entry) => entry.index <= index && node.log.term(entry.index) !== entry.term);
    for (const entry of entries) node.log.put(entry);
    this.persist(to, entries);
    const ack = this.send(to, MessageType.MsgAppResp, { to: leader, index });
    this.step(leader, ack, () => source.progress.get(to)?.maybeUpdate(index));
  }

  /** A leader commits. */
  commit(id: NodeId, index: Index): void {
    const { log, record } = this.at(id);
    const from = log.committed;
    log.committed = index;
    this.emit({ kind: SimEventKind.LeaderCommit, time: this.now, node: id, term: record.term, commit: index });
    this.emit({ kind: SimEventKind.Commit, time: this.now, node: id, from, to: index });
  }

  /** A follower hears of a commit index. */
  follow(id: NodeId, index: Index): void {
    const { log } = this.at(id);
    const from = log.committed;
    log.committed = index;
    this.emit({ kind: SimEventKind.Commit, time: this.now, node: id, from, to: index });
  }

  /** The state machine applies everything up to an index, and its state becomes `hash`. */
  apply(id: NodeId, to: Index, hash: number = to): void {
    const node = this.at(id);
    const { log } = node;
    const committedEntries = log.entries.filter(({ index }) => index > node.applied && index <= to);
    this.ready(id, { committedEntries });
    log.applying = to;
    for (const entry of committedEntries) this.applyEntry(id, entry);
    log.applied = to;
    node.hash = hash;
  }

  /** One entry reaches the state machine. */
  applyEntry(id: NodeId, entry: Entry): void {
    const node = this.at(id);
    node.applied = entry.index;
    this.emit({ kind: SimEventKind.Applied, time: this.now, node: id, entry, incarnation: node.incarnation });
  }

  /** A follower installs a snapshot of this state, with the given metadata. */
  install(id: NodeId, index: Index, term: Term, hash: number, confState: ConfState = this.at(id).confState): void {
    const snapshot: Snapshot = { data: emptyBytes, metadata: { index, term, confState } };
    this.emit({ kind: SimEventKind.SnapshotInstalled, time: this.now, node: id, snapshot, stateHash: hash });
  }

  /** An operation that a client starts; it has not ended. */
  invoke(node: NodeId, write: boolean): ClientOp {
    const op: ClientOp = {
      id: this.ops.length + 1,
      client: 0,
      node,
      write,
      request: Uint8Array.of(7),
      command: { kind: write ? 1 : 0, key: 0, value: write ? this.ops.length + 1 : 0, expected: 0 },
      invokedAt: this.now,
      returnedAt: Infinity,
      outcome: OpOutcome.Pending,
      index: 0,
      answer: undefined,
    };
    this.ops.push(op);
    this.emit({ kind: SimEventKind.OpInvoked, time: this.now, node, op });
    return op;
  }

  /** An operation ends. */
  finish(op: ClientOp, outcome: OpOutcome, index: Index = 0, answer: unknown = undefined): void {
    op.outcome = outcome;
    op.index = index;
    op.answer = answer;
    op.returnedAt = this.now;
    this.emit({ kind: SimEventKind.OpReturned, time: this.now, node: op.node, op });
  }

  /** The bytes that the operation puts into the log. */
  bytesOf(op: ClientOp): Uint8Array {
    return envelope(op);
  }

  checkpoint(): void {
    this.emit({ kind: SimEventKind.Checkpoint, time: this.now, node: None });
  }

  enter(phase: SimPhase): void {
    this.phase = phase;
    this.emit({ kind: SimEventKind.Phase, time: this.now, node: None, phase });
  }

  tick(id: NodeId): void {
    this.emit({ kind: SimEventKind.Ticked, time: this.now, node: id });
  }
}

/** Node 1 leads term 2; the entries 2/2 and 2/3 are committed and applied everywhere. What most tests start from. */
export function steadyCluster(checkers: readonly Checker[], voters = 3): FakeCluster {
  const c = new FakeCluster(checkers, voters);
  c.elect(1, 2, [2]);
  const op = c.invoke(1, true);
  c.append(1, c.bytesOf(op));
  for (let id = 2; id <= voters; id++) c.replicate(1, id, 3);
  c.commit(1, 3);
  for (let id = 1; id <= voters; id++) {
    if (id > 1) c.follow(id, 3);
    c.persist(id);
    c.apply(id, 3);
  }
  c.finish(op, OpOutcome.Ok, 3, 0);
  return c;
}

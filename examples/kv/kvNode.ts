import {
  isConfChangeEntry,
  isRaftError,
  LocalAppendThread,
  LocalApplyThread,
  RaftErrorCode,
  RawNode,
  SnapshotStatus,
  StateType,
  StepResult,
  type Entry,
  type Index,
  type Message,
  type NodeId,
  type Ready,
  type Snapshot,
  type Term,
} from 'raftstep';
import { AppendThread } from './appendThread.js';
import type { NodeLog } from './disk.js';
import { ReadFailed, Reads } from './reads.js';
import { Replica } from './replica.js';
import type { Request } from './request.js';
import type { Outcome, StateMachine } from './stateMachine.js';
import { TcpTransport, type AddressBook } from './transport.js';

/** Length of a tick in milliseconds. With 10 ticks an election starts 200 to 400 ms after a leader was heard last. */
const tickMs = 20;

/** Bytes of entries that may wait for the disk before requests have to wait, and not be proposed yet. A log takes four times as much. */
const maxWaitingBytes = 16 * 1024 * 1024;

/** What a node has to tell. */
export interface KvNodeEvents {
  /** It has become the leader. */
  leads(node: KvNode): void;
  /** It took over the state of the leader, because the log it needed is gone. */
  snapshotRestored(node: KvNode, index: Index): void;
  /** It has applied what was committed when it started. */
  caughtUp(node: KvNode, index: Index): void;
  /** It closed a connection that sent something else than messages. */
  refused(node: KvNode, reason: string): void;
  /** It cannot go on, and has stopped. */
  failed(node: KvNode, error: unknown): void;
}

/** How a node is started. */
export interface KvNodeOptions {
  readonly id: NodeId;
  /** All members, this one included; the same on every node. */
  readonly members: readonly NodeId[];
  /** What the node had saved when it stopped. It belongs to the node from now on, which closes it. */
  readonly log: NodeLog;
  readonly addresses: AddressBook;
  /** How often this node was started before. */
  readonly starts: number;
  /** Commit index of the group now, for `caughtUp`. */
  readonly catchUpTo: Index;
  readonly events: KvNodeEvents;
}

/** A client's ear at the node it is connected to. */
export interface ClientListener {
  /** A request of the client was applied here. */
  answered(session: number, sequence: number, outcome: Outcome): void;
  /** The node is down, leads no more, or has dropped a request: what is not answered must be sent again, to the leader. */
  disconnected(): void;
}

/** The state of a node, for people. */
export interface KvNodeStatus {
  readonly role: StateType;
  readonly lead: NodeId;
  readonly term: Term;
  readonly commit: Index;
  readonly applied: Index;
}

/**
 * One node of the store: the host of a RawNode.
 *
 * Everything that happens to it (messages, ticks, requests, answers of the disk) is put into a queue. Once
 * per turn of the event loop, after all sockets were read, `#turn` takes the queue in and hands out one
 * Ready. So there is one place that changes the RawNode, and a thousand requests cost one round of the loop.
 *
 * Nothing waits for the disk but what must: an {@link AppendThread} saves, and its answer comes through the queue.
 */
export class KvNode {
  readonly id: NodeId;
  readonly #options: KvNodeOptions;
  readonly #log: NodeLog;
  readonly #raft: RawNode;
  readonly #appends: AppendThread;
  readonly #replica: Replica;
  readonly #reads: Reads;
  readonly #clients = new Map<string, ClientListener>();
  #catchingUp = true;
  #transport: TcpTransport | null = null;
  #timer: NodeJS.Timeout | undefined;
  #queue: (() => void)[] = [];
  #proposals: Uint8Array[] = [];
  #turnIsDue = false;
  #closing: Promise<void> | null = null;

  private constructor(options: KvNodeOptions, snapshot: Snapshot) {
    const { id, log } = options;
    this.id = id;
    this.#options = options;
    this.#log = log;
    this.#appends = new AppendThread(log, {
      saved: (rd, responses) => this.#enqueue(() => this.#saved(rd, responses)),
      failed: (error) => this.fail(error),
    });
    this.#replica = new Replica(log, snapshot);
    this.#reads = new Reads(options.starts);
    // The log reaches further back than the snapshot: `applied` says from where on entries are to be applied.
    // The small window makes the leader pack many entries into a message when many are waiting.
    this.#raft = new RawNode({ id, storage: log, applied: this.#replica.applied, maxInflightMsgs: 32, asyncStorageWrites: true });
    if (log.lastIndex() === 0) this.#raft.bootstrap(options.members.map((member) => ({ id: member })));
  }

  /**
   * Starts a node from its log; a log that is empty gets the first configuration.
   *
   * @throws Error of the operating system if it cannot listen; whatever the log throws.
   */
  static async start(options: KvNodeOptions): Promise<KvNode> {
    const node = new KvNode(options, await options.log.loadSnapshot());
    node.#transport = await TcpTransport.listen(options.id, options.addresses, {
      message: (m) => node.#enqueue(() => node.#step(m)),
      unreachable: (id) => node.#enqueue(() => node.#raft.reportUnreachable(id)),
      snapshotSent: (id, delivered) => node.#enqueue(() => node.#raft.reportSnapshot(id, delivered ? SnapshotStatus.Finish : SnapshotStatus.Failure)),
      refused: (reason) => options.events.refused(node, reason),
    });
    node.#timer = setInterval(() => node.#enqueue(() => node.#tick()), tickMs);
    node.#schedule();
    return node;
  }

  /** Starts an election at once, for the first leader of a new group. */
  campaign(): void {
    this.#enqueue(() => {
      // The first configuration must be applied, which the first Ready asks for. The next turn is after it.
      if (this.#raft.campaign() === StepResult.ConfChangePending) this.campaign();
    });
  }

  /** Connects a client: it hears what becomes of its requests here. The listener it had before hears nothing more. */
  connect(client: string, listener: ClientListener): void {
    this.#clients.set(client, listener);
  }

  /** Puts an encoded request into the log. The answer, if there is one, comes through the listener. */
  submit(request: Uint8Array): void {
    this.#proposals.push(request);
    this.#schedule();
  }

  /**
   * Waits until this node has applied all that was committed when the call was made, and looks then
   * (dissertation §6.4). Works on every node.
   *
   * @throws ReadFailed if it cannot be told what was committed: without a leader, or after an election. Try again.
   */
  async read<T>(look: (store: StateMachine) => T): Promise<T> {
    if (this.stopped) throw new ReadFailed('the node is down');
    this.#schedule();
    await this.#reads.ask();
    return look(this.store);
  }

  /** The store as it is on this node, which may be behind. */
  get store(): StateMachine {
    return this.#replica.store;
  }

  /** Whether it is down. It cannot come back; start another one on the same log. */
  get stopped(): boolean {
    return this.#closing !== null;
  }

  /** Not on a node that is down. */
  status(): KvNodeStatus {
    const { state, lead, hardState, applied } = this.#raft.basicStatus();
    return { role: state, lead, term: hardState.term, commit: hardState.commit, applied };
  }

  /** Stops in the middle of whatever it does, as a killed process would. Only the log is left; resolves when it is closed. */
  stop(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    this.#closing = this.#log.close();
    clearInterval(this.#timer);
    this.#transport?.close();
    this.#reads.fail('the node is down');
    this.#disconnectClients();
    return this.#closing;
  }

  /** Stops because of an error, and tells of it. Neither the RawNode nor the store can be trusted after one; what is on the disk can. */
  fail(error: unknown): void {
    if (this.stopped) return;
    // What goes wrong when a log that has failed is closed is no news.
    this.stop().catch(() => undefined);
    this.#options.events.failed(this, error);
  }

  #enqueue(change: () => void): void {
    if (this.stopped) return;
    this.#queue.push(change);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#turnIsDue || this.stopped) return;
    this.#turnIsDue = true;
    // After all sockets that have something were read, and before the loop sleeps.
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnIsDue = false;
    if (this.stopped) return;
    try {
      const queue = this.#queue;
      this.#queue = [];
      for (const change of queue) change();
      this.#propose();
      this.#askForReads();
      if (this.#raft.hasReady()) this.#handleReady(this.#raft.ready());
      if (this.#raft.hasReady()) this.#schedule();
    } catch (error) {
      this.fail(error);
    }
  }

  #step(m: Message): void {
    // What a message cannot do is refused without harm and counted in the status.
    this.#raft.step(m);
  }

  #tick(): void {
    this.#raft.tick();
    this.#reads.tick();
  }

  #propose(): void {
    // The rest gets its turn when the disk has caught up, which is an event.
    const proposals = this.#withinBounds(this.#proposals);
    try {
      for (const data of proposals) this.#raft.propose(data);
    } catch (error) {
      if (!isRaftError(error, RaftErrorCode.ProposalDropped)) throw error;
      this.#disconnectClients();
    }
  }

  /** Takes as many requests as may wait for the disk. */
  #withinBounds(proposals: Uint8Array[]): Uint8Array[] {
    let bytes = this.#appends.waitingBytes;
    let count = 0;
    while (count < proposals.length && bytes < maxWaitingBytes) bytes += proposals[count++]!.length;
    return proposals.splice(0, count);
  }

  #askForReads(): void {
    const context = this.#reads.begin();
    if (context === null) return;
    const result = this.#raft.readIndex(context);
    if (result !== StepResult.Ok) this.#reads.abort(context, result);
  }

  /** What makes Raft safe is who waits for the disk: the responses of the append thread. Peers get the rest at once, and what is committed is on enough disks. */
  #handleReady(rd: Ready): void {
    const toPeers: Message[] = [];
    for (const m of rd.messages) {
      if (m.to === LocalAppendThread) this.#appends.save(rd, m.responses);
      else if (m.to !== LocalApplyThread) toPeers.push(m);
    }
    this.#transport?.send(toPeers);

    for (const entry of rd.committedEntries) this.#apply(entry);
    for (const m of rd.messages) if (m.to === LocalApplyThread) this.#deliver(m.responses);
    for (const { index, requestContext } of rd.readStates) this.#reads.confirm(requestContext, index);
    for (const { requestContext, reason } of rd.abortedReads) this.#reads.abort(requestContext, reason);
    this.#reads.serve(this.#replica.applied);

    if (rd.softState?.state === StateType.Leader) this.#options.events.leads(this);
    else if (rd.softState !== null) this.#disconnectClients();
    this.#noteCatchUp();
    if (this.#replica.isLogLong) this.#replica.compact().catch((error: unknown) => this.fail(error));
  }

  /** The disk has what `rd` asked to be saved. */
  #saved({ snapshot }: Ready, responses: readonly Message[]): void {
    if (snapshot !== null) {
      // Before the RawNode hears of it, which then hands out the entries behind it.
      this.#replica.restore(snapshot);
      this.#options.events.snapshotRestored(this, snapshot.metadata.index);
    }
    this.#deliver(responses);
  }

  #deliver(responses: readonly Message[]): void {
    const toPeers: Message[] = [];
    for (const m of responses) {
      if (m.to === this.id) this.#raft.stepStorageResponse(m);
      else toPeers.push(m);
    }
    this.#transport?.send(toPeers);
  }

  #apply(entry: Entry): void {
    if (isConfChangeEntry(entry)) this.#replica.applyConfChange(entry, this.#raft.applyConfChange(entry));
    else this.#replica.apply(entry, this.#answer);
  }

  readonly #answer = ({ client, session, sequence }: Request, outcome: Outcome): void => {
    this.#clients.get(client)?.answered(session, sequence, outcome);
  };

  #noteCatchUp(): void {
    if (!this.#catchingUp || this.#replica.applied < this.#options.catchUpTo) return;
    this.#catchingUp = false;
    this.#options.events.caughtUp(this, this.#replica.applied);
  }

  #disconnectClients(): void {
    const listeners = [...this.#clients.values()];
    this.#clients.clear();
    for (const listener of listeners) listener.disconnected();
  }
}

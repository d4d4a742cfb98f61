import {
  isConfChangeEntry,
  isRaftError,
  RaftErrorCode,
  RawNode,
  SnapshotStatus,
  StateType,
  StepResult,
  type Entry,
  type Index,
  type MemoryStorage,
  type Message,
  type NodeId,
  type Ready,
  type Term,
} from 'raftstep';
import { ReadFailed, Reads } from './reads.js';
import { Replica } from './replica.js';
import type { Request } from './request.js';
import type { Outcome, StateMachine } from './stateMachine.js';
import { TcpTransport, type AddressBook } from './transport.js';

/** Length of a tick in milliseconds. With 10 ticks an election starts 200 to 400 ms after a leader was heard last. */
const tickMs = 20;

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
  /** Plays the disk: what the node had saved when it stopped is here when it starts again. */
  readonly storage: MemoryStorage;
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
 * Everything that happens to it (messages, ticks, requests) is put into a queue. Once per turn of the
 * event loop, after all sockets were read, `#turn` takes the queue in and carries out one Ready. So
 * there is one place that changes the RawNode, and a thousand requests cost one round of the loop.
 */
export class KvNode {
  readonly id: NodeId;
  readonly #options: KvNodeOptions;
  readonly #storage: MemoryStorage;
  readonly #raft: RawNode;
  readonly #replica: Replica;
  readonly #reads: Reads;
  readonly #clients = new Map<string, ClientListener>();
  #catchingUp = true;
  #transport: TcpTransport | null = null;
  #timer: NodeJS.Timeout | undefined;
  #queue: (() => void)[] = [];
  #proposals: Uint8Array[] = [];
  #turnIsDue = false;
  #stopped = false;

  private constructor(options: KvNodeOptions) {
    const { id, storage } = options;
    this.id = id;
    this.#options = options;
    this.#storage = storage;
    this.#replica = new Replica(storage);
    this.#reads = new Reads(options.starts);
    // The log reaches further back than the snapshot: `applied` says from where on entries are to be applied.
    // The small window makes the leader pack many entries into a message when many are waiting.
    this.#raft = new RawNode({ id, storage, applied: this.#replica.applied, maxInflightMsgs: 32 });
    if (storage.lastIndex() === 0) this.#raft.bootstrap(options.members.map((member) => ({ id: member })));
  }

  /**
   * Starts a node from its storage; a storage that is empty gets the first configuration.
   *
   * @throws Error of the operating system if it cannot listen.
   */
  static async start(options: KvNodeOptions): Promise<KvNode> {
    const node = new KvNode(options);
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
    if (this.#stopped) throw new ReadFailed('the node is down');
    this.#schedule();
    await this.#reads.ask();
    return look(this.store);
  }

  /** The store as it is on this node, which may be behind. */
  get store(): StateMachine {
    return this.#replica.store;
  }

  /** Whether it is down. It cannot come back; start another one on the same storage. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Not on a node that is down. */
  status(): KvNodeStatus {
    const { state, lead, hardState, applied } = this.#raft.basicStatus();
    return { role: state, lead, term: hardState.term, commit: hardState.commit, applied };
  }

  /** Stops in the middle of whatever it does, as a killed process would. Only the storage is left. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#transport?.close();
    this.#reads.fail('the node is down');
    this.#disconnectClients();
  }

  #enqueue(change: () => void): void {
    if (this.#stopped) return;
    this.#queue.push(change);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#turnIsDue || this.#stopped) return;
    this.#turnIsDue = true;
    // After all sockets that have something were read, and before the loop sleeps.
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnIsDue = false;
    if (this.#stopped) return;
    try {
      const queue = this.#queue;
      this.#queue = [];
      for (const change of queue) change();
      this.#propose();
      this.#askForReads();
      if (this.#raft.hasReady()) this.#handleReady(this.#raft.ready());
      if (this.#raft.hasReady()) this.#schedule();
    } catch (error) {
      // Neither the RawNode nor the store can be trusted after an error; the storage can.
      this.stop();
      this.#options.events.failed(this, error);
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
    const proposals = this.#proposals;
    if (proposals.length === 0) return;
    this.#proposals = [];
    try {
      for (const data of proposals) this.#raft.propose(data);
    } catch (error) {
      if (!isRaftError(error, RaftErrorCode.ProposalDropped)) throw error;
      this.#disconnectClients();
    }
  }

  #askForReads(): void {
    const context = this.#reads.begin();
    if (context === null) return;
    const result = this.#raft.readIndex(context);
    if (result !== StepResult.Ok) this.#reads.abort(context, result);
  }

  /** The order is what makes Raft safe: nothing is said to others, or applied, before it is saved. */
  #handleReady(rd: Ready): void {
    if (rd.snapshot !== null) this.#storage.applySnapshot(rd.snapshot);
    this.#storage.append(rd.entries);
    if (rd.hardState !== null) this.#storage.setHardState(rd.hardState);

    this.#transport?.send(rd.messages);

    if (rd.snapshot !== null) this.#options.events.snapshotRestored(this, this.#replica.restore());
    for (const entry of rd.committedEntries) this.#apply(entry);
    for (const { index, requestContext } of rd.readStates) this.#reads.confirm(requestContext, index);
    for (const { requestContext, reason } of rd.abortedReads) this.#reads.abort(requestContext, reason);
    this.#reads.serve(this.#replica.applied);

    this.#raft.advance(rd);

    if (rd.softState?.state === StateType.Leader) this.#options.events.leads(this);
    else if (rd.softState !== null) this.#disconnectClients();
    this.#noteCatchUp();
    this.#replica.compact();
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

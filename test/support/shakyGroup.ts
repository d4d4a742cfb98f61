import { checkInvariants } from '../../src/core/checkInvariants.js';
import { isConfChangeEntry, type Entry } from '../../src/core/raftpb/entry.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { newConfState, type ConfState, type HardState, type Snapshot } from '../../src/core/raftpb/state.js';
import type { RandomSource } from '../../src/core/random.js';
import { RawNode } from '../../src/core/rawNode.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import type { TraceEvent } from '../../src/core/trace.js';
import { emptyBytes, isLocalThread, SnapshotStatus, StateType, type Index, type NodeId } from '../../src/core/types.js';
import type { NodeOptions } from './rawGroup.js';

/** What the network does to messages. */
export interface Weather {
  /** Of a hundred messages, so many are lost. */
  readonly loss: number;
  /** Of a hundred messages, so many arrive twice. */
  readonly twice: number;
  /** So many old messages, of any age, arrive once more with every tick. */
  readonly replays: number;
  /** A message takes up to so many ticks. */
  readonly delay: number;
}

/** A copy of everything that is on a disk. */
export function copyOfStorage(storage: MemoryStorage): MemoryStorage {
  const copy = new MemoryStorage();
  const { hardState, confState } = storage.initialState();
  const before = storage.firstIndex() - 1;
  copy.applySnapshot({ data: emptyBytes, metadata: { confState, index: before, term: storage.term(before) } });
  copy.append(storage.entries(before + 1, storage.lastIndex() + 1, Infinity));
  copy.setHardState(hardState);
  return copy;
}

/** One node with its disk. What the storage threads were told and have not done is lost in a crash. */
export class ShakyNode {
  readonly id: NodeId;
  storage: MemoryStorage;
  node: RawNode;
  /** Whether it runs. */
  up = true;
  work: Message[] = [];
  applied: Index = 0;
  confState: ConfState;
  /** Highest commit index since the start. */
  commit: Index = 0;
  private readonly options: NodeOptions;

  constructor(id: NodeId, storage: MemoryStorage, options: NodeOptions) {
    this.id = id;
    this.storage = storage;
    this.options = options;
    this.confState = storage.initialState().confState;
    this.node = new RawNode({ ...options, id, storage });
  }

  get leads(): boolean {
    return this.up && this.node.basicStatus().state === StateType.Leader;
  }

  /** Starts from what is on the disk. */
  start(): void {
    this.work = [];
    this.up = true;
    this.commit = 0;
    this.applied = this.storage.firstIndex() - 1;
    this.confState = this.storage.initialState().confState;
    this.node = new RawNode({ ...this.options, id: this.id, storage: this.storage });
  }

  persist(entries: readonly Entry[], hardState: HardState | null, snapshot: Snapshot | null): void {
    if (snapshot !== null) this.storage.applySnapshot(snapshot);
    this.storage.append(entries);
    if (hardState !== null) this.storage.setHardState(hardState);
  }

  /** Makes a snapshot of what is applied, and discards the log up to there. */
  compact(): void {
    const upTo = Math.min(this.applied, this.storage.initialState().hardState.commit);
    if (upTo < this.applied || upTo < this.storage.firstIndex()) return;
    this.storage.createSnapshot(upTo, this.confState, emptyBytes);
    this.storage.compact(upTo);
  }
}

/**
 * A group under a network that loses, repeats, delays and reorders, with crashes. One seed is one run. Checks with
 * every step that no two nodes apply different entries at one index, and that no commit index goes down.
 */
export class ShakyGroup {
  readonly nodes: ShakyNode[];
  /** Who the members are before the first entry. */
  readonly confState: ConfState;
  /** What the nodes found out about logs that went back. */
  readonly alarms: TraceEvent[] = [];
  /** Applied entries by index, of whichever node applied them first. */
  readonly history = new Map<Index, string>();
  weather: Weather;
  /** Messages between these nodes and the others are lost. */
  cutOff: readonly NodeId[] = [];
  ticks = 0;
  private readonly random: RandomSource;
  private readonly options: NodeOptions;
  private inFlight: { readonly m: Message; readonly due: number }[] = [];
  private readonly old: Message[] = [];

  constructor(members: Partial<ConfState>, options: NodeOptions, weather: Weather, random: RandomSource) {
    const confState = newConfState(members);
    this.confState = confState;
    this.random = random;
    this.weather = weather;
    const trace = { trace: (event: TraceEvent) => void ((event.kind === 'logWentBack' || event.kind === 'lossNoted') && this.alarms.push(event)) };
    this.options = { ...options, random, trace };
    this.nodes = [...confState.voters, ...confState.learners].map((id) => new ShakyNode(id, emptyDisk(confState), this.options));
  }

  get(id: NodeId): ShakyNode {
    return this.nodes.find((node) => node.id === id)!;
  }

  /** The leader of the highest term, if one runs. */
  get leader(): ShakyNode | undefined {
    const leaders = this.nodes.filter((node) => node.leads);
    return leaders.sort((a, b) => b.node.basicStatus().hardState.term - a.node.basicStatus().hardState.term)[0];
  }

  /** A tick on every node, and some deliveries. */
  tick(): void {
    this.ticks++;
    for (const node of this.nodes) if (node.up) node.node.tick();
    for (let i = 0; i < this.weather.replays && this.old.length > 0; i++) this.inFlight.push({ m: this.old[this.random(this.old.length)]!, due: this.ticks });
    for (let i = 0; i < 80; i++) {
      this.turn(this.nodes[this.random(this.nodes.length)]!);
      this.deliverOne();
    }
    for (const node of this.nodes) this.turn(node);
    for (const node of this.nodes) if (node.up) checkInvariants(node.node);
  }

  /** Ticks until `done`, at most so often. Returns how often. */
  tickUntil(done: () => boolean, most: number): number {
    for (let i = 0; i < most; i++) {
      if (done()) return i;
      this.tick();
    }
    return most;
  }

  /** One Ready of a node, and some work of its storage threads. */
  private turn(node: ShakyNode): void {
    if (!node.up) return;
    if (node.node.hasReady()) {
      const ready = node.node.ready();
      const isAsync = this.options.asyncStorageWrites === true;
      if (!isAsync) {
        node.persist(ready.entries, ready.hardState, ready.snapshot);
        if (ready.snapshot !== null) this.restored(node, ready.snapshot);
      }
      for (const m of ready.messages) {
        if (isLocalThread(m.to)) node.work.push(m);
        else this.send(m);
      }
      if (!isAsync) {
        this.apply(node, ready.committedEntries);
        node.node.advance(ready);
      }
      const { commit } = node.node.basicStatus().hardState;
      if (commit < node.commit) throw new Error(`the commit index of node ${node.id} went down from ${node.commit} to ${commit}`);
      node.commit = commit;
    }
    for (let i = this.random(4); i > 0 && node.work.length > 0; i--) this.perform(node, node.work.shift()!);
  }

  private perform(node: ShakyNode, m: Message): void {
    if (m.type === MessageType.MsgStorageAppend) {
      node.persist(m.entries, m.term === 0 ? null : { term: m.term, vote: m.vote, commit: m.commit }, m.snapshot);
      if (m.snapshot !== null) this.restored(node, m.snapshot);
    } else {
      this.apply(node, m.entries);
    }
    for (const response of m.responses) {
      if (response.to === node.id) node.node.stepStorageResponse(response);
      else this.send(response);
    }
  }

  private restored(node: ShakyNode, snapshot: Snapshot): void {
    node.applied = snapshot.metadata.index;
    node.confState = snapshot.metadata.confState;
  }

  private apply(node: ShakyNode, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index <= node.applied) continue;
      const text = `${entry.term} ${entry.type} ${entry.data.join()}`;
      const known = this.history.get(entry.index);
      if (known !== undefined && known !== text) throw new Error(`node ${node.id} applies "${text}" at ${entry.index}, which was "${known}"`);
      this.history.set(entry.index, text);
      if (isConfChangeEntry(entry)) node.confState = node.node.applyConfChange(entry) ?? node.confState;
      node.applied = entry.index;
    }
  }

  private send(m: Message): void {
    this.old.push(m);
    if (this.old.length > 400) this.old.splice(this.random(400), 1);
    const { loss, twice, delay } = this.weather;
    const copies = this.random(100) < twice ? 2 : 1;
    let arriving = 0;
    for (let i = 0; i < copies; i++) {
      if (this.random(100) < loss) continue;
      this.inFlight.push({ m, due: this.ticks + this.random(delay + 1) });
      arriving++;
    }
    if (arriving === 0 && m.type === MessageType.MsgSnap) this.report(m, SnapshotStatus.Failure);
  }

  private deliverOne(): void {
    if (this.inFlight.length === 0) return;
    const at = this.random(this.inFlight.length);
    const { m, due } = this.inFlight[at]!;
    if (due > this.ticks) return;
    this.inFlight[at] = this.inFlight.at(-1)!;
    this.inFlight.pop();
    const lost = this.cutOff.includes(m.from) !== this.cutOff.includes(m.to);
    const receiver = this.nodes.find((node) => node.id === m.to);
    const arrives = !lost && receiver?.up === true;
    if (arrives) receiver.node.step(m);
    if (m.type === MessageType.MsgSnap) this.report(m, arrives ? SnapshotStatus.Finish : SnapshotStatus.Failure);
  }

  private report(m: Message, outcome: SnapshotStatus): void {
    const sender = this.nodes.find((node) => node.id === m.from);
    if (sender?.up === true) sender.node.reportSnapshot(m.to, outcome);
  }
}

/** A disk that knows nothing but who the members are. */
export function emptyDisk(confState: ConfState): MemoryStorage {
  const storage = new MemoryStorage();
  storage.applySnapshot({ data: emptyBytes, metadata: { confState, index: 0, term: 0 } });
  return storage;
}

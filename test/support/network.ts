import type { Message } from '../../src/core/raftpb/message.js';
import { compareNodeIds, StateType, type EntryId, type NodeId } from '../../src/core/types.js';
import { bytes, nodeWith, type NodeFields } from './builders.js';
import type { TestNode } from './testNode.js';

/** More messages than any test sends: a group that talks without end would hang the test otherwise. */
const mostMessages = 100_000;

/** Whether a message is lost. */
export type Filter = (m: Message) => boolean;

/**
 * A group in one process, without time of its own. Messages arrive in the order of sending, at once and
 * until nobody has anything to say, except for those that a filter drops or holds back.
 */
export class Network {
  readonly #nodes = new Map<NodeId, TestNode>();
  #filters: Filter[] = [];
  #held: Message[] = [];
  #holds: Filter | null = null;
  /** Every message that was sent, those that were lost included. */
  sent: Message[] = [];

  constructor(nodes: readonly TestNode[]) {
    for (const node of nodes) this.#nodes.set(node.id, node);
  }

  /** A group of equal voters 1 … `size`, with the options of {@link nodeWith}. */
  static of(size: number, fields: NodeFields = {}): Network {
    const voters = Array.from({ length: size }, (_, i) => i + 1);
    return new Network(voters.map((id) => nodeWith({ voters, ...fields, id })));
  }

  get ids(): NodeId[] {
    return [...this.#nodes.keys()].sort(compareNodeIds);
  }

  get nodes(): TestNode[] {
    return this.ids.map((id) => this.node(id));
  }

  node(id: NodeId): TestNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`the network has no node ${id}`);
    return node;
  }

  /** Adds a node that starts now. */
  add(node: TestNode): void {
    this.#nodes.set(node.id, node);
  }

  /** The one leader of the highest term. */
  get leader(): TestNode {
    const leaders = this.nodes.filter((node) => node.state === StateType.Leader).sort((a, b) => b.term - a.term);
    if (leaders[0] === undefined) throw new Error('the network has no leader');
    return leaders[0];
  }

  // -- Faults

  /** Loses the messages for which `filter` says so, until `heal`. */
  drop(filter: Filter): void {
    this.#filters.push(filter);
  }

  /** Loses everything between the nodes of `side` and all others, until `heal`. */
  cut(...side: readonly NodeId[]): void {
    this.drop((m) => side.includes(m.from) !== side.includes(m.to));
  }

  /** Loses everything from and to a node, until `heal`. */
  isolate(id: NodeId): void {
    this.cut(id);
  }

  /** Loses nothing any more. What was lost stays lost. */
  heal(): void {
    this.#filters = [];
  }

  /** Keeps the messages for which `filter` says so on their way, until `release`. */
  hold(filter: Filter): void {
    this.#holds = filter;
  }

  /** Lets all messages arrive that were held back. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    this.#holds = null;
    this.deliver(held);
  }

  // -- Events; each lets all messages arrive that follow from it

  /** Lets all messages arrive that wait in any node, and those that follow. */
  settle(): void {
    this.deliver(this.nodes.flatMap((node) => node.settle()));
  }

  /** Lets these messages arrive, and those that follow. */
  deliver(messages: readonly Message[]): void {
    const queue = [...messages];
    this.sent.push(...messages);
    for (let i = 0; i < queue.length; i++) {
      if (i === mostMessages) throw new Error('the network does not come to rest');
      const m = queue[i]!;
      if (this.#holds?.(m) === true) {
        this.#held.push(m);
        continue;
      }
      if (this.#filters.some((isLost) => isLost(m))) continue;
      const answers = this.#nodes.get(m.to)?.receive(m) ?? [];
      this.sent.push(...answers);
      queue.push(...answers);
    }
  }

  /** Time passes on all nodes, or on those given, tick by tick. */
  tick(ticks = 1, ids: readonly NodeId[] = this.ids): void {
    for (let i = 0; i < ticks; i++) {
      for (const id of ids) this.node(id).node.tick();
      this.settle();
    }
  }

  /** A node campaigns. Returns whether it leads afterwards. */
  campaign(id: NodeId): boolean {
    this.node(id).node.campaign();
    this.settle();
    return this.node(id).state === StateType.Leader;
  }

  /** A node proposes. Returns where the entry stands, or null if it was forwarded. */
  propose(id: NodeId, text: string): EntryId | null {
    const entryId = this.node(id).node.propose(bytes(text));
    this.settle();
    return entryId;
  }

  /** A node crashes and starts again from its storage. */
  restart(id: NodeId): void {
    this.node(id).restart();
    this.settle();
  }
}

import { MemoryStorage, StateType, type Index, type NodeId } from 'raftstep';
import { KvNode, type KvNodeEvents } from './kvNode.js';
import type { AddressBook } from './transport.js';

/** One place for a node: what stays when the node goes. */
interface Slot {
  readonly storage: MemoryStorage;
  node: KvNode | null;
  starts: number;
}

/** What a cluster has to tell. */
export interface ClusterEvents {
  /** Something that a person wants to know. */
  say(line: string): void;
  /** A node has become the leader. */
  leads(): void;
}

/**
 * Three nodes on loopback, and the hands that kill and start them.
 *
 * `kill` takes away what a killed process loses: the RawNode, the store, the connections and everything
 * not yet saved. The storage stays; it plays the disk.
 */
export class Cluster {
  readonly #slots = new Map<NodeId, Slot>([1, 2, 3].map((id) => [id, { storage: new MemoryStorage(), node: null, starts: 0 }]));
  readonly #addresses: AddressBook = new Map();
  readonly #events: ClusterEvents;
  #failures = 0;

  private constructor(events: ClusterEvents) {
    this.#events = events;
  }

  /**
   * Starts all nodes of a new group; the first one campaigns at once, so nobody waits for a timeout.
   *
   * @throws Error of the operating system if a node cannot listen.
   */
  static async start(events: ClusterEvents): Promise<Cluster> {
    const cluster = new Cluster(events);
    await Promise.all(cluster.members.map((id) => cluster.#startNode(id)));
    cluster.nodes[0]?.campaign();
    return cluster;
  }

  /** The ids of all members. */
  get members(): readonly NodeId[] {
    return [...this.#slots.keys()];
  }

  /** The nodes that are up, by ascending id. */
  get nodes(): readonly KvNode[] {
    return [...this.#slots.values()].flatMap(({ node }) => (node === null || node.stopped ? [] : [node]));
  }

  /** Members of which more than half are needed, and how many of them are up. */
  get quorum(): { readonly needed: number; readonly up: number } {
    return { needed: Math.floor(this.#slots.size / 2) + 1, up: this.nodes.length };
  }

  /** Nodes that stopped because of an error. */
  get failures(): number {
    return this.#failures;
  }

  /** The node that leads, as far as can be seen; null if none does. */
  get leader(): KvNode | null {
    let leader: KvNode | null = null;
    for (const node of this.nodes) {
      // An old leader that is cut off does not know it yet: the higher term is the right one.
      const { role, term } = node.status();
      if (role === StateType.Leader && term > (leader?.status().term ?? 0)) leader = node;
    }
    return leader;
  }

  /** Highest commit index of the nodes that are up. */
  get commit(): Index {
    return Math.max(0, ...this.nodes.map((node) => node.status().commit));
  }

  /** Kills a node. Returns why it could not, or null. */
  kill(id: NodeId): string | null {
    const slot = this.#slots.get(id);
    if (slot === undefined) return this.#noSuchNode(id);
    if (slot.node === null) return `node ${id} is down already`;
    const { node } = slot;
    slot.node = null;
    node.stop();
    this.#events.say(`node ${id} is down`);
    return null;
  }

  /** Starts a node that is down, with what its storage holds. Returns why it could not, or null. */
  async restart(id: NodeId): Promise<string | null> {
    const slot = this.#slots.get(id);
    if (slot === undefined) return this.#noSuchNode(id);
    if (slot.node !== null) return `node ${id} is up already`;
    await this.#startNode(id);
    this.#events.say(`node ${id} is up`);
    return null;
  }

  /** Stops all nodes. */
  close(): void {
    for (const slot of this.#slots.values()) {
      slot.node?.stop();
      slot.node = null;
    }
  }

  #noSuchNode(id: NodeId): string {
    return `there is no node ${id}, only ${this.members.join(', ')}`;
  }

  async #startNode(id: NodeId): Promise<void> {
    const slot = this.#slots.get(id)!;
    const options = { id, members: this.members, storage: slot.storage, addresses: this.#addresses, starts: slot.starts++, catchUpTo: this.commit };
    slot.node = await KvNode.start({ ...options, events: this.#nodeEvents(options.starts > 0) });
  }

  #nodeEvents(isRestart: boolean): KvNodeEvents {
    const { say, leads } = this.#events;
    return {
      leads: (node) => {
        const { term, commit } = node.status();
        say(`node ${node.id} leads in term ${term}, commit ${commit}`);
        leads();
      },
      snapshotRestored: ({ id }, index) => say(`node ${id} took over a snapshot at index ${index}`),
      caughtUp: ({ id }, index) => {
        if (isRestart) say(`node ${id} has caught up at index ${index}`);
      },
      refused: ({ id }, reason) => say(`node ${id} closed a connection: ${reason}`),
      failed: ({ id }, error) => {
        this.#failures++;
        this.#slots.get(id)!.node = null;
        say(`node ${id} stopped after an error: ${error instanceof Error ? error.message : String(error)}`);
      },
    };
  }
}

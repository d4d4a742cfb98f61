import { StateType, type Index, type NodeId } from 'raftstep';
import type { Disk } from './disk.js';
import { KvNode, type KvNodeEvents } from './kvNode.js';
import type { AddressBook } from './transport.js';

/** One place for a node. */
interface Slot {
  node: KvNode | null;
  starts: number;
  /** Resolves when the log of the node that was here before is closed. */
  closed: Promise<void>;
}

/** The ids of all members. */
export const members: readonly NodeId[] = [1, 2, 3];

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
 * `kill` takes away what a killed process loses: the RawNode, the store and the connections. The log stays.
 */
export class Cluster {
  readonly #slots = new Map<NodeId, Slot>(members.map((id) => [id, { node: null, starts: 0, closed: Promise.resolve() }]));
  readonly #disk: Disk;
  readonly #addresses: AddressBook = new Map();
  readonly #events: ClusterEvents;
  #failures = 0;

  private constructor(disk: Disk, events: ClusterEvents) {
    this.#disk = disk;
    this.#events = events;
  }

  /**
   * Starts all nodes. The first one campaigns at once, so nobody waits for a timeout, unless its log turns
   * out to be behind those of the others.
   *
   * @throws Error of the operating system if a node cannot listen; an error of the disk if a log cannot be opened.
   */
  static async start(disk: Disk, events: ClusterEvents): Promise<Cluster> {
    const cluster = new Cluster(disk, events);
    await Promise.all(members.map((id) => cluster.#startNode(id)));
    cluster.nodes[0]?.campaign();
    return cluster;
  }

  /** The ids of all members. */
  get members(): readonly NodeId[] {
    return members;
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
    this.#stopNode(slot).catch((error: unknown) => this.#events.say(`the log of node ${id} could not be closed: ${textOf(error)}`));
    this.#events.say(`node ${id} is down`);
    return null;
  }

  /** Starts a node that is down, with what its log holds. Returns why it could not, or null. */
  async restart(id: NodeId): Promise<string | null> {
    const slot = this.#slots.get(id);
    if (slot === undefined) return this.#noSuchNode(id);
    if (slot.node?.stopped === false) return `node ${id} is up already`;
    try {
      await this.#startNode(id);
    } catch (error) {
      return `node ${id} does not start: ${textOf(error)}`;
    }
    this.#events.say(`node ${id} is up`);
    return null;
  }

  /** Stops all nodes, and waits until their logs are closed. @throws Error of the disk */
  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => this.#stopNode(slot)));
  }

  #stopNode(slot: Slot): Promise<void> {
    const { node } = slot;
    slot.node = null;
    if (node === null) return slot.closed;
    const closing = node.stop();
    // Whoever opens the log next will hear what is wrong with it.
    slot.closed = closing.catch(() => undefined);
    return closing;
  }

  #noSuchNode(id: NodeId): string {
    return `there is no node ${id}, only ${this.members.join(', ')}`;
  }

  async #startNode(id: NodeId): Promise<void> {
    const slot = this.#slots.get(id)!;
    await this.#stopNode(slot);
    const log = await this.#disk.open(id, {
      failed: (error) => slot.node?.fail(error),
      storageLow: (error) => this.#events.say(`node ${id} will stop soon, because there is no room on the disk: ${textOf(error)}`),
    });
    const options = { id, members, log, addresses: this.#addresses, starts: slot.starts++, catchUpTo: this.commit };
    try {
      slot.node = await KvNode.start({ ...options, events: this.#nodeEvents(options.starts > 0) });
    } catch (error) {
      await log.close();
      throw error;
    }
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
        this.#stopNode(this.#slots.get(id)!).catch(() => undefined);
        say(`node ${id} stopped after an error: ${textOf(error)}`);
      },
    };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import type { Journal } from './journal.js';
import type { KvNode } from './kvNode.js';
import { ReadFailed } from './reads.js';
import { encodeRequest, type Write } from './request.js';
import { Outcome, sessionWindow, type StateMachine } from './stateMachine.js';

/** How often the client looks after what is not answered, in milliseconds. */
const watchMs = 20;

/** Time without any answer after which everything that is not answered is sent again, in milliseconds. */
const resendMs = 500;

/** What became of a write. */
export type WriteAnswer = { readonly ok: true; readonly existed: boolean } | { readonly ok: false; readonly reason: string };

/** What became of a read. */
export type ReadAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** A write that is not answered. */
interface Pending {
  readonly sequence: number;
  readonly write: Write;
  readonly data: Uint8Array;
  readonly done: (answer: WriteAnswer) => void;
}

/**
 * A client of the store. Many of its writes are on their way at once; they are applied in the order in
 * which they were made, each exactly once, through any number of failures.
 *
 * Every write has the next number of the session. After a change of leader, or when no answer comes,
 * the client sends everything unanswered again, in order, to whoever leads now; the store leaves out
 * what it has applied and refuses what would leave a gap. A write that stays unanswered is given up
 * together with its session: the next one begins a new session, which ends the old one for good.
 */
export class Client {
  readonly #cluster: Cluster;
  readonly #journal: Journal;
  readonly #timeoutMs: number;
  readonly #id = randomUUID();
  readonly #timer: NodeJS.Timeout;
  #session = 1;
  #sent = 0;
  #unanswered: Pending[] = [];
  #node: KvNode | null = null;
  #connections = 0;
  #progressAt = 0;
  #sentAt = 0;
  /** The last wait was in vain. Until a leader shows up there is no point in waiting again. */
  #gaveUp = false;
  #lastReader = 0;
  #waiting: (() => void)[] = [];

  /** @param timeoutMs time without any answer after which commands are given up, in milliseconds. */
  constructor(cluster: Cluster, journal: Journal, timeoutMs: number) {
    this.#cluster = cluster;
    this.#journal = journal;
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => this.#watch(), watchMs);
  }

  /** Whether `write` has to wait for answers first. */
  get full(): boolean {
    return this.#unanswered.length >= sessionWindow;
  }

  /** Whether there are writes without an answer. */
  get busy(): boolean {
    return this.#unanswered.length > 0;
  }

  /** Waits until something was answered. Only while `busy`. */
  answered(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Waits until everything was answered. */
  async settled(): Promise<void> {
    while (this.busy) await this.answered();
  }

  /** Sends a write. Not while `full`. `done` is called once, in the order of the writes. */
  write(write: Write, done: (answer: WriteAnswer) => void): void {
    if (this.#gaveUp && this.#cluster.leader === null) {
      done({ ok: false, reason: this.#hopeless() });
      return;
    }
    this.#gaveUp = false;
    if (!this.busy) this.#progressAt = Date.now();
    const sequence = ++this.#sent;
    const data = encodeRequest({ client: this.#id, session: this.#session, sequence, write });
    this.#unanswered.push({ sequence, write, data, done });
    if (this.#node === null) this.#connect();
    else this.#node.submit(data);
  }

  /** Reads a key; the value is undefined if it is not there. */
  read(key: string): Promise<ReadAnswer<string | undefined>> {
    return this.look((store) => store.values.get(key)?.value);
  }

  /** Looks at the store of any node: they take turns. Sees every write that was answered before. */
  async look<T>(look: (store: StateMachine) => T): Promise<ReadAnswer<T>> {
    const deadline = Date.now() + this.#timeoutMs;
    for (;;) {
      if (this.#gaveUp && this.#cluster.leader === null) return { ok: false, reason: this.#hopeless() };
      const nodes = this.#cluster.nodes;
      try {
        const node = nodes[++this.#lastReader % nodes.length];
        if (node !== undefined) return { ok: true, value: await node.read(look) };
      } catch (error) {
        if (!(error instanceof ReadFailed)) throw error;
      }
      if (Date.now() >= deadline) {
        this.#gaveUp = true;
        return { ok: false, reason: this.#timedOut() };
      }
      await sleep(watchMs);
    }
  }

  /** A node was started: there is hope again. */
  nodeStarted(): void {
    this.#gaveUp = false;
  }

  /** Ends the client. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** Connects to the leader, if there is one, and sends it everything unanswered. */
  #connect(): void {
    const node = this.#cluster.leader;
    this.#node = node;
    if (node === null) return;
    const connection = ++this.#connections;
    this.#sentAt = Date.now();
    node.connect(this.#id, {
      answered: (session, sequence, outcome) => {
        if (connection === this.#connections) this.#takeAnswer(session, sequence, outcome);
      },
      disconnected: () => {
        if (connection === this.#connections) this.#node = null;
      },
    });
    for (const { data } of this.#unanswered) node.submit(data);
  }

  #takeAnswer(session: number, sequence: number, outcome: Outcome): void {
    const first = this.#unanswered[0];
    // Answers to what was sent twice come twice; those about gaps come while it is sent again.
    if (first === undefined || session !== this.#session || sequence !== first.sequence) return;
    if (outcome === Outcome.Gap || outcome === Outcome.Stale) return;
    this.#unanswered.shift();
    this.#progressAt = Date.now();
    this.#journal.acknowledge(first.write);
    first.done({ ok: true, existed: outcome === Outcome.Existed });
    this.#wake();
  }

  #watch(): void {
    if (!this.busy) return;
    const now = Date.now();
    if (now - this.#progressAt >= this.#timeoutMs) this.#giveUp();
    else if (this.#node === null || now - Math.max(this.#progressAt, this.#sentAt) >= resendMs) this.#connect();
  }

  #giveUp(): void {
    const abandoned = this.#unanswered;
    this.#unanswered = [];
    this.#session++;
    this.#sent = 0;
    this.#gaveUp = true;
    const reason = this.#timedOut();
    for (const { write, done } of abandoned) {
      this.#journal.doubt(write);
      done({ ok: false, reason });
    }
    this.#wake();
  }

  #timedOut(): string {
    return `no answer within ${this.#timeoutMs / 1000} s${this.#quorumText()}`;
  }

  #hopeless(): string {
    return `not sent, since nobody leads${this.#quorumText()}`;
  }

  #quorumText(): string {
    const { up, needed } = this.#cluster.quorum;
    return up < needed ? ` (${up} of ${this.#cluster.members.length} nodes up, ${needed} are needed)` : '';
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

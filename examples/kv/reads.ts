import type { Index } from 'raftstep';

/** Ticks after which a read that was not confirmed is given up: its message may be lost. */
const patienceTicks = 20;

/** A read that got no answer. It has no effect, so it can be tried again at will. */
export class ReadFailed extends Error {}

interface Read {
  resolve(): void;
  reject(error: ReadFailed): void;
}

/** Reads that share one question to the leader. */
interface Batch {
  readonly reads: readonly Read[];
  ticksLeft: number;
  /** What must be applied first; -1 until the leader has answered. */
  index: Index;
}

/**
 * The reads that wait on one node (dissertation §6.4). All reads of a turn are one batch: they ask the
 * leader for its commit index once, and are served when this node has applied that far.
 */
export class Reads {
  readonly #starts: number;
  #count = 0;
  #asked: Read[] = [];
  /** By the text of their context. */
  readonly #batches = new Map<string, Batch>();

  /** @param starts tells the questions of this run of the node from those of earlier ones, whose answers may still come. */
  constructor(starts: number) {
    this.#starts = starts;
  }

  /** Resolves when the state may be looked at. */
  ask(): Promise<void> {
    return new Promise((resolve, reject) => this.#asked.push({ resolve, reject }));
  }

  /** Makes a batch of the reads asked for since the last call. Returns its context for `readIndex`, or null if there are none. */
  begin(): Uint8Array | null {
    if (this.#asked.length === 0) return null;
    const context = `${this.#starts}.${++this.#count}`;
    this.#batches.set(context, { reads: this.#asked, ticksLeft: patienceTicks, index: -1 });
    this.#asked = [];
    return new TextEncoder().encode(context);
  }

  /** The leader has answered. */
  confirm(context: Uint8Array, index: Index): void {
    const batch = this.#batches.get(new TextDecoder().decode(context));
    if (batch !== undefined) batch.index = index;
  }

  /** The leader will not answer. */
  abort(context: Uint8Array, reason: string): void {
    this.#end(new TextDecoder().decode(context), reason);
  }

  /** Everything up to `applied` is applied. */
  serve(applied: Index): void {
    for (const [context, batch] of this.#batches) {
      if (batch.index < 0 || batch.index > applied) continue;
      this.#batches.delete(context);
      for (const read of batch.reads) read.resolve();
    }
  }

  /** A tick has passed. */
  tick(): void {
    for (const [context, batch] of this.#batches) {
      if (--batch.ticksLeft === 0) this.#end(context, 'no answer');
    }
  }

  /** Gives all of them up. */
  fail(reason: string): void {
    this.begin();
    for (const context of this.#batches.keys()) this.#end(context, reason);
  }

  #end(context: string, reason: string): void {
    const batch = this.#batches.get(context);
    this.#batches.delete(context);
    for (const read of batch?.reads ?? []) read.reject(new ReadFailed(reason));
  }
}

import { createHash } from 'node:crypto';
import type { Request, Write } from './request.js';

/** Writes of one client that may be on their way at once: for as many the answers are remembered. */
export const sessionWindow = 1024;

/** What became of a request. */
export const Outcome = {
  /** Applied, now or before; the key was not there. */
  Created: 0,
  /** Applied, now or before; the key was there. */
  Existed: 1,
  /** Not applied: a request before it is missing. Send from that one on. */
  Gap: 2,
  /** Not applied, and never will be: the client has begun a new session. */
  Stale: 3,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** The value of a key. */
export interface Versioned {
  readonly value: string;
  /** How often it was put since the key was created, from 1. */
  readonly version: number;
}

/** What the store remembers of a client. */
interface Session {
  number: number;
  /** Highest sequence number applied. */
  last: number;
  /** Outcome of the last requests, that of sequence number n at (n - 1) modulo `sessionWindow`. */
  outcomes: number[];
}

/**
 * The store: what every node computes from the same log, so that all come to the same state.
 *
 * Requests of a session are applied in the order of their numbers, each once. A session is kept for
 * ever here; a store with many clients must let them expire, by an entry in the log.
 */
export class StateMachine {
  #values = new Map<string, Versioned>();
  #sessions = new Map<string, Session>();
  #applied = 0;
  #repeated = 0;

  /** Requests applied. */
  get applied(): number {
    return this.#applied;
  }

  /** Requests that came again, or too early, and were not applied. */
  get repeated(): number {
    return this.#repeated;
  }

  /** The keys and their values. */
  get values(): ReadonlyMap<string, Versioned> {
    return this.#values;
  }

  /** Takes in one request of the log. */
  apply(request: Request): Outcome {
    const outcome = this.#applyInOrder(request);
    if (outcome.fresh) this.#applied++;
    else this.#repeated++;
    return outcome.value;
  }

  #applyInOrder({ client, session: number, sequence, write }: Request): { value: Outcome; fresh: boolean } {
    let session = this.#sessions.get(client);
    if (session !== undefined && number < session.number) return { value: Outcome.Stale, fresh: false };
    if (session === undefined || number > session.number) {
      if (sequence !== 1) return { value: Outcome.Gap, fresh: false };
      session = { number, last: 0, outcomes: [] };
      this.#sessions.set(client, session);
    }
    if (sequence > session.last + 1) return { value: Outcome.Gap, fresh: false };
    const slot = (sequence - 1) % sessionWindow;
    if (sequence <= session.last) return { value: session.outcomes[slot]! as Outcome, fresh: false };

    const value = this.#write(write);
    session.last = sequence;
    session.outcomes[slot] = value;
    return { value, fresh: true };
  }

  #write(write: Write): Outcome {
    const old = this.#values.get(write.key);
    if (write.kind === 'put') this.#values.set(write.key, { value: write.value, version: (old?.version ?? 0) + 1 });
    else this.#values.delete(write.key);
    return old === undefined ? Outcome.Created : Outcome.Existed;
  }

  /**
   * The whole state as bytes. Equal histories give equal bytes: a Map keeps its keys in the order in
   * which they came, and so does `restore`.
   */
  save(): Uint8Array {
    const values = Array.from(this.#values, ([key, { value, version }]) => [key, value, version]);
    const sessions = Array.from(this.#sessions, ([client, { number, last, outcomes }]) => [client, number, last, outcomes]);
    return new TextEncoder().encode(JSON.stringify({ applied: this.#applied, repeated: this.#repeated, sessions, values }));
  }

  /**
   * The state that `save` has written; of no bytes, the empty one.
   *
   * @throws SyntaxError or TypeError if the bytes are anything else.
   */
  static restore(bytes: Uint8Array): StateMachine {
    const machine = new StateMachine();
    if (bytes.length === 0) return machine;
    const saved = JSON.parse(new TextDecoder().decode(bytes)) as Saved;
    machine.#applied = saved.applied;
    machine.#repeated = saved.repeated;
    for (const [client, number, last, outcomes] of saved.sessions) machine.#sessions.set(client, { number, last, outcomes });
    for (const [key, value, version] of saved.values) machine.#values.set(key, { value, version });
    return machine;
  }

  /** Fingerprint of the whole state, sessions included: 16 hex digits. */
  hash(): string {
    return createHash('sha256').update(this.save()).digest('hex').slice(0, 16);
  }
}

interface Saved {
  applied: number;
  repeated: number;
  sessions: [client: string, number: number, last: number, outcomes: number[]][];
  values: [key: string, value: string, version: number][];
}

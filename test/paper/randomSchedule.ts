import type { Message } from '../../src/core/raftpb/message.js';
import type { RandomSource } from '../../src/core/random.js';
import { StateType, type NodeId } from '../../src/core/types.js';
import { bytes, nodeWith, type NodeFields } from '../support/builders.js';
import type { TestNode } from '../support/testNode.js';
import type { ServerView } from './figure3Properties.js';

/** What happened in a run, to tell whether it was worth looking at. */
export interface Coverage {
  terms: number;
  committed: number;
  /** Entries that a server had and lost again. */
  overwritten: number;
  crashes: number;
}

/**
 * A group whose messages are delivered in any order, lost and doubled, whose network splits now and
 * then, whose clocks run unevenly and whose servers crash; all of it drawn from `random`. One event
 * after the other.
 */
export class RandomSchedule {
  readonly #nodes: TestNode[];
  readonly #random: RandomSource;
  #onTheirWay: Message[] = [];
  /** Servers that are cut off from the rest, and for how many more events. */
  #side = new Set<NodeId>();
  #cutFor = 0;
  readonly coverage: Coverage = { terms: 0, committed: 0, overwritten: 0, crashes: 0 };

  constructor(size: number, random: RandomSource, fields: NodeFields = {}) {
    const voters = Array.from({ length: size }, (_, i) => i + 1);
    this.#random = random;
    this.#nodes = voters.map((id) => nodeWith({ electionTick: 5, random, ...fields, id, voters }));
  }

  get servers(): ServerView[] {
    return this.#nodes.map(({ id, state, term, log, applied }) => ({ id, state, term, log, applied }));
  }

  /** One event. */
  step(): void {
    const lengths = this.#nodes.map((node) => node.log);
    this.#event(this.#random(100));
    this.#nodes.forEach(({ log, term, commit }, i) => {
      const before = lengths[i]!;
      if (before.some((entry, at) => entry.term !== log[at]?.term)) this.coverage.overwritten++;
      this.coverage.terms = Math.max(this.coverage.terms, term);
      this.coverage.committed = Math.max(this.coverage.committed, commit);
    });
  }

  #event(dice: number): void {
    const node = this.#nodes[this.#random(this.#nodes.length)]!;
    if (this.#cutFor > 0) this.#cutFor--;
    if (dice < 60 && this.#onTheirWay.length > 0) this.#deliver(this.#takeMessage());
    else if (dice < 62) this.#dropOne();
    else if (dice < 64) this.#doubleOne();
    else if (dice < 69) this.#propose();
    else if (dice < 70) this.#crash(node);
    else if (dice < 71) this.#split();
    else this.#onTheirWay.push(...node.tick());
  }

  #takeMessage(): Message {
    return this.#onTheirWay.splice(this.#random(this.#onTheirWay.length), 1)[0]!;
  }

  #deliver(m: Message): void {
    if (this.#cutFor > 0 && this.#side.has(m.from) !== this.#side.has(m.to)) return;
    const node = this.#nodes.find(({ id }) => id === m.to)!;
    this.#onTheirWay.push(...node.receive(m));
  }

  #split(): void {
    if (this.#cutFor > 0) return;
    this.#side = new Set(this.#nodes.map(({ id }) => id).filter(() => this.#random(2) === 0));
    this.#cutFor = 50 + this.#random(200);
  }

  #dropOne(): void {
    if (this.#onTheirWay.length > 0) this.#takeMessage();
  }

  #doubleOne(): void {
    const m = this.#onTheirWay[this.#random(Math.max(this.#onTheirWay.length, 1))];
    if (m !== undefined) this.#onTheirWay.push(m);
  }

  #propose(): void {
    // Any server that believes that it leads, deposed ones included.
    for (const node of this.#nodes) {
      if (node.state !== StateType.Leader) continue;
      node.node.propose(bytes(`${node.id}@${node.term}`));
      this.#onTheirWay.push(...node.settle());
    }
  }

  /** Sometimes in the middle of things: what a message has just changed is neither saved nor answered. */
  #crash(node: TestNode): void {
    const at = this.#onTheirWay.findIndex((m) => m.to === node.id);
    if (at >= 0 && this.#random(2) === 0) node.node.step(this.#onTheirWay.splice(at, 1)[0]!);
    node.restart();
    this.coverage.crashes++;
    this.#onTheirWay.push(...node.settle());
  }
}

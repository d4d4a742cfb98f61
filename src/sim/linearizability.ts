import { KvKind } from './kv.js';
import { describeOp, stepRegister, unknownAnswer, neverWritten, type RegisterOp } from './linearizabilityModel.js';
import { findBrokenRule } from './linearizabilityRules.js';

/** What the checker found out about a history. */
export interface Verdict {
  /** `ok`: linearizable. `violation`: not. `unknown`: the search was given up at its limit. */
  readonly verdict: 'ok' | 'violation' | 'unknown';
  /** What is wrong, or why it is not known, for people; empty for `ok`. */
  readonly reason: string;
  /** Steps the search took; 0 if a simple rule has decided. */
  readonly steps: number;
}

/** Steps of a search after which it is given up. A number and not a time, so that a verdict does not depend on the machine. */
export const defaultStepLimit = 2_000_000;

/**
 * Whether a history of one register is linearizable: whether each operation can be given one moment between
 * its call and its answer, such that the operations one after the other answer what they did (Herlihy and
 * Wing 1990).
 *
 * Simple rules are tried first. Then all orders are searched (Wing and Gong 1993), remembering which sets of
 * operations with which content of the register have been tried in vain (Lowe 2017).
 *
 * @param ops of one register, in any order; at most a few hundred. Reads without an answer say nothing and are ignored.
 * @param stepLimit steps of the search at most.
 */
export function checkRegister(ops: readonly RegisterOp[], stepLimit: number = defaultStepLimit): Verdict {
  const relevant = withoutNoise(ops);
  const broken = findBrokenRule(relevant);
  if (broken !== null) return { verdict: 'violation', reason: broken, steps: 0 };
  return new Search(relevant).run(stepLimit);
}

/**
 * Drops what makes no difference: reads without an answer, and writes without an answer whose value nobody
 * has seen or asked for. Such a write may as well have happened after everything else. Each one kept would
 * double the search.
 */
function withoutNoise(ops: readonly RegisterOp[]): readonly RegisterOp[] {
  let kept = ops.filter((op) => op.ret !== Infinity || op.kind !== KvKind.Get);
  for (;;) {
    const wanted = new Set<number>();
    for (const op of kept) {
      if (op.answer !== unknownAnswer) wanted.add(op.answer);
      if (op.kind === KvKind.Cas) wanted.add(op.expected);
    }
    const next = kept.filter((op) => op.ret !== Infinity || wanted.has(op.value));
    if (next.length === kept.length) return kept;
    kept = next;
  }
}

/** An operation that was given its place, and what to return to when that is taken back. */
interface Placed {
  readonly op: number;
  readonly stateBefore: number;
}

/** Depth-first search for an order. Calls and answers are a doubly linked list in order of time; what has its place is taken out. */
class Search {
  private readonly ops: readonly RegisterOp[];
  /** Neighbours in the list: 0 is its head, 1 + i the call of operation i, 1 + n + i its answer. */
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** Set of operations that have their place, one bit each. */
  private readonly placed: Int32Array;
  /** Random number of each operation; the exclusive or of a set is its hash. */
  private readonly codes: Int32Array;
  private readonly tried = new Map<number, Int32Array[]>();
  /** The longest order found, and whose answer stood in its way. */
  private longest = -1;
  private obstacle = -1;

  constructor(ops: readonly RegisterOp[]) {
    this.ops = ops;
    const n = ops.length;
    this.next = new Int32Array(2 * n + 1);
    this.previous = new Int32Array(2 * n + 1);
    this.placed = new Int32Array((n + 31) >> 5);
    this.codes = new Int32Array(n);
    for (let i = 0; i < n; i++) this.codes[i] = mix(i + 1);
    this.link();
  }

  private link(): void {
    const { ops } = this;
    const n = ops.length;
    const order: number[] = [];
    for (let i = 0; i < n; i++) {
      order.push(1 + i);
      if (ops[i]!.ret !== Infinity) order.push(1 + n + i);
    }
    const time = (event: number): number => (event <= n ? ops[event - 1]!.call : ops[event - 1 - n]!.ret);
    // At the same time calls come first: then the two overlap, which forgives what cannot be told apart.
    order.sort((a, b) => time(a) - time(b) || Number(a > n) - Number(b > n) || a - b);
    let last = 0;
    for (const event of order) {
      this.next[last] = event;
      this.previous[event] = last;
      last = event;
    }
    this.next[last] = 0;
    this.previous[0] = last;
  }

  run(stepLimit: number): Verdict {
    const { ops, next } = this;
    const n = ops.length;
    const stack: Placed[] = [];
    let left = 0;
    for (const op of ops) if (op.ret !== Infinity) left++;
    let state: number = neverWritten;
    let hash = 0;
    let event = next[0]!;
    for (let steps = 1; left > 0; steps++) {
      if (steps > stepLimit) return { verdict: 'unknown', reason: `given up after ${stepLimit} steps, with ${ops.length} operations`, steps: stepLimit };
      if (event <= n) {
        const i = event - 1;
        const after = stepRegister(state, ops[i]!);
        if (after < 0 || !this.place(i, after, hash ^ this.codes[i]!)) {
          event = next[event]!;
          continue;
        }
        stack.push({ op: i, stateBefore: state });
        hash ^= this.codes[i]!;
        state = after;
        this.takeOut(i);
        if (ops[i]!.ret !== Infinity) left--;
        event = next[0]!;
        continue;
      }
      // An answer before its operation has a place: what was placed last must go elsewhere.
      if (stack.length > this.longest) {
        this.longest = stack.length;
        this.obstacle = event - 1 - n;
      }
      const back = stack.pop();
      if (back === undefined) return { verdict: 'violation', reason: this.reason(), steps };
      this.putBack(back.op);
      if (ops[back.op]!.ret !== Infinity) left++;
      hash ^= this.codes[back.op]!;
      state = back.stateBefore;
      event = next[1 + back.op]!;
    }
    return { verdict: 'ok', reason: '', steps: 0 };
  }

  private reason(): string {
    return `no order of the operations explains the answers; at best ${this.longest} of ${this.ops.length} fit, and then ${describeOp(this.ops[this.obstacle]!)} does not`;
  }

  /** Adds an operation to the set. Returns false, and does not, if that set with that content was tried before. */
  private place(i: number, state: number, hash: number): boolean {
    const { placed } = this;
    placed[i >> 5]! |= 1 << (i & 31);
    const key = hash ^ mix(state);
    const same = this.tried.get(key);
    if (same !== undefined && same.some((set) => isSame(set, placed, state))) {
      placed[i >> 5]! &= ~(1 << (i & 31));
      return false;
    }
    const set = new Int32Array(placed.length + 1);
    set.set(placed);
    set[placed.length] = state;
    if (same === undefined) this.tried.set(key, [set]);
    else same.push(set);
    return true;
  }

  private takeOut(i: number): void {
    this.unlink(1 + i);
    if (this.ops[i]!.ret !== Infinity) this.unlink(1 + this.ops.length + i);
  }

  /** Undoes {@link takeOut}; in reverse order, so that the neighbours are what they were. */
  private putBack(i: number): void {
    if (this.ops[i]!.ret !== Infinity) this.relink(1 + this.ops.length + i);
    this.relink(1 + i);
    this.placed[i >> 5]! &= ~(1 << (i & 31));
  }

  private unlink(event: number): void {
    const before = this.previous[event]!;
    const after = this.next[event]!;
    this.next[before] = after;
    this.previous[after] = before;
  }

  private relink(event: number): void {
    this.next[this.previous[event]!] = event;
    this.previous[this.next[event]!] = event;
  }
}

function isSame(set: Int32Array, placed: Int32Array, state: number): boolean {
  for (let i = 0; i < placed.length; i++) if (set[i] !== placed[i]) return false;
  return set[placed.length] === state;
}

/** Scrambles an integer (a finalizer of murmur3). */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

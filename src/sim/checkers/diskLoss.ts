import type { Index, NodeId, Term } from '../../core/types.js';
import type { DurableView, NodeView } from '../checker.js';
import { holds } from '../durableView.js';

/** A disk that forgot, as the checkers know it. */
export class DiskLoss {
  /** Highest term that anybody had led by then. */
  readonly term: Term;
  /** Highest index that anybody had committed by then. */
  readonly committed: Index;
  /** The last entry that the disk had. */
  private readonly lastIndex: Index;
  private readonly lastTerm: Term;
  /** Leaders that have found out about it. */
  readonly knownTo = new Set<NodeId>();
  private isMadeUpFor = false;
  /** What was left: the index before the first entry, and the terms of the entries. Null until the node is back. */
  private left: { readonly offset: Index; readonly terms: readonly Term[] } | null = null;

  /** A loss that happens now. */
  constructor(term: Term, committed: Index, { lastIndex, lastTerm }: DurableView) {
    this.term = term;
    this.committed = committed;
    this.lastIndex = lastIndex;
    this.lastTerm = lastTerm;
  }

  /** Whether the node was seen to have everything again that anybody might count on. */
  get recovered(): boolean {
    return this.isMadeUpFor;
  }

  /**
   * Looks whether the node has everything again: what was committed, and what it had acknowledged, unless a later
   * leader has committed something else.
   *
   * @param committedTerm term of the entry committed at the given index of this loss.
   */
  look({ durable, raft }: NodeView, committedTerm: Term): void {
    if (this.isMadeUpFor || raft === null || !holds(durable, this.committed, committedTerm)) return;
    const { log } = raft;
    const isLater = log.term(log.committed) > this.term && holds(durable, log.committed, log.term(log.committed));
    this.isMadeUpFor = isLater || holds(durable, this.lastIndex, this.lastTerm);
  }

  /** Notes what the node finds on its disk when it is back. */
  noteLeft(durable: DurableView): void {
    const terms: Term[] = [];
    for (let index = durable.offset + 1; index <= durable.lastIndex; index++) terms.push(durable.term(index));
    this.left = { offset: durable.offset, terms };
  }

  /** Whether the entry was still there when the node came back. */
  spared(index: Index, term: Term): boolean {
    const { left } = this;
    return left !== null && (index <= left.offset || left.terms[index - left.offset - 1] === term);
  }

  /** Whether a leader of `term` may still count what was acknowledged before the loss. */
  isHiddenFrom(leader: NodeId, term: Term): boolean {
    return term <= this.term && !this.knownTo.has(leader);
  }
}

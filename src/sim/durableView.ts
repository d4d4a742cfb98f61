import type { Index, Term } from '../core/types.js';
import type { DurableView } from './checker.js';

/** Whether a disk holds the entry for certain, in its log or in its snapshot. */
export function holds(durable: DurableView, index: Index, term: Term): boolean {
  return index <= durable.offset || durable.term(index) === term;
}

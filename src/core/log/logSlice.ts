import type { Entry } from '../raftpb/entry.js';
import { maxTerm, type Index, type Term } from '../types.js';

/**
 * Whether entries from a leader can be a piece of a Raft log (Figure 2, AppendEntries). What a piece
 * promises, and the code behind this check relies on:
 *
 * 1. The entries follow the position `prevIndex`, and one another, without a gap.
 * 2. Terms never fall, starting from `prevTerm`.
 * 3. No term is above `term`, that of the leader who sent it: nobody appends for the future.
 * 4. `prevIndex` is 0 exactly if `prevTerm` is: only the start of the log has term 0.
 *
 * @returns null if it can; else a sentence that says why not. Never throws (D9).
 */
export function invalidLogSlice(term: Term, prevIndex: Index, prevTerm: Term, entries: readonly Entry[]): string | null {
  if (!isPosition(prevIndex) || !isPosition(prevTerm)) return `previous entry ${prevIndex} of term ${prevTerm} is out of range`;
  if ((prevIndex === 0) !== (prevTerm === 0)) return `previous entry ${prevIndex} cannot have term ${prevTerm}`;
  if (prevTerm > term) return `previous entry has term ${prevTerm}, above the term ${term} of the message`;
  // The last index must still allow for one more, as every index in the library does.
  if (prevIndex + entries.length > maxTerm) return `entries after ${prevIndex} exceed the highest index`;
  let floor = prevTerm;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const index = prevIndex + 1 + i;
    if (entry.index !== index) return `entry ${entry.index} stands at position ${index}`;
    if (!Number.isSafeInteger(entry.term) || entry.term <= 0) return `entry ${index} has the impossible term ${entry.term}`;
    if (entry.term < floor) return `entry ${index} has term ${entry.term}, below the term ${floor} before it`;
    floor = entry.term;
  }
  // Terms never fall, so the last one is the highest.
  return floor > term ? `entries have term ${floor}, above the term ${term} of the message` : null;
}

function isPosition(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= maxTerm;
}

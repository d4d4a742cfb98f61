import type { Entry } from '../raftpb/entry.js';
import { isCount, maxTerm, type Index, type Term } from '../types.js';

/**
 * Whether entries from a leader can be a piece of a Raft log (Figure 2, AppendEntries). What a piece
 * promises, and the code behind this check relies on:
 *
 * 1. The entries follow the position `prevIndex`, and one another, without a gap.
 * 2. Terms never fall, starting from `prevTerm`.
 * 3. No term is above `term`, that of the leader who sent it: nobody appends for the future.
 * 4. `prevIndex` is 0 exactly if `prevTerm` is: only the start of the log has term 0.
 *
 * Never throws (D9).
 */
export function isLogSlice(term: Term, prevIndex: Index, prevTerm: Term, entries: readonly Entry[]): boolean {
  if (!isCount(prevIndex) || !isCount(prevTerm)) return false;
  if ((prevIndex === 0) !== (prevTerm === 0)) return false;
  // The last index must still allow for one more, as every index in the library does.
  if (prevIndex + entries.length > maxTerm) return false;
  let floor = prevTerm;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (entry.index !== prevIndex + 1 + i) return false;
    if (!isCount(entry.term) || entry.term === 0 || entry.term < floor) return false;
    floor = entry.term;
  }
  // Terms never fall, so the last one is the highest.
  return floor <= term;
}

import type { ConfState } from '../../core/raftpb/state.js';
import type { Index, NodeId, Term } from '../../core/types.js';
import type { DiskLoss } from './diskLoss.js';
import { PrefixTable } from './prefixTable.js';

/** Highest index that was committed by leaders of one term. */
interface TermCommit {
  readonly term: Term;
  index: Index;
}

/** A configuration and the entry that it takes effect with. */
interface IndexedConfig {
  readonly index: Index;
  readonly confState: ConfState;
}

/**
 * What a run has established for ever, whichever node did it: who led a term, which entry was committed at an
 * index, what log stands before an entry. The checkers of a run share one; each table has one writer.
 */
export class RunHistory {
  /** Who leads, or has led, each term. Written by the election checker. */
  readonly leaderOf = new Map<Term, NodeId>();
  /** The log before each entry that any node has ever had. Written by the log checker. */
  readonly prefixes = new PrefixTable();
  /** Term of the committed entry, by index; 0 where it is not known. Written by the commit checker. */
  private readonly termAt: Term[] = [];
  /** Highest index committed by anyone. Written by the commit checker. */
  committed: Index = 0;
  /** Highest index that was committed without a leader: by a bootstrap, or by the snapshot that the group began with. */
  founded: Index = 0;
  /** Number of the operation applied first at each index; 0 for none. Written by the apply checker. */
  readonly opAt: number[] = [];
  /** Configurations in the order of their indexes. Written by the membership checker. */
  private readonly configs: IndexedConfig[] = [];
  /** The last time that each disk forgot what its node had acknowledged. Written by the reversion checker. */
  readonly losses = new Map<NodeId, DiskLoss>();
  private readonly commits: TermCommit[] = [];
  private leaderHasCommitted = false;

  /** Whether a leader has committed anything yet. */
  get isLed(): boolean {
    return this.leaderHasCommitted;
  }

  /** The newest configuration that any node has applied; null before the first. */
  get config(): ConfState | null {
    return this.configs[this.configs.length - 1]?.confState ?? null;
  }

  /** Index that the newest configuration takes effect with; 0 before the first. */
  get configIndex(): Index {
    return this.configs[this.configs.length - 1]?.index ?? 0;
  }

  /** The configuration in force at an index; null if it is not known. */
  configAt(index: Index): ConfState | null {
    for (let i = this.configs.length - 1; i >= 0; i--) if (this.configs[i]!.index <= index) return this.configs[i]!.confState;
    return null;
  }

  /** Notes the configuration that takes effect with the entry at `index`; indexes rise. */
  noteConfig(index: Index, confState: ConfState): void {
    this.configs.push({ index, confState });
  }

  /** Term of the entry that was committed at `index`; 0 if none was, or the term was never seen. */
  committedTerm(index: Index): Term {
    return this.termAt[index] ?? 0;
  }

  /** Notes the committed entry at `index`, the first time that anyone commits it. */
  noteCommitted(index: Index, term: Term): void {
    while (this.termAt.length < index) this.termAt.push(0);
    this.termAt[index] = term;
    if (index > this.committed) this.committed = index;
  }

  /** Whether a node has not got back yet what was committed when its disk forgot: it takes part in no quorum (O12). */
  hasLost(id: NodeId): boolean {
    const loss = this.losses.get(id);
    return loss !== undefined && !loss.recovered;
  }

  /** Whether a leader of `term` may believe of a node what was true before its disk forgot. */
  mayBeDeceived(leader: NodeId, term: Term, about: NodeId): boolean {
    return this.losses.get(about)?.isHiddenFrom(leader, term) === true;
  }

  /** Notes what the group begins with: entries that need no leader. */
  noteFounded(index: Index): void {
    if (index > this.founded) this.founded = index;
  }

  /** Notes that a leader of `term` has committed up to `index`. */
  noteLeaderCommit(term: Term, index: Index): void {
    this.leaderHasCommitted = true;
    for (const commit of this.commits) {
      if (commit.term !== term) continue;
      if (index > commit.index) commit.index = index;
      return;
    }
    this.commits.push({ term, index });
  }

  /** Highest index that was committed by leaders of terms before `term`, or without a leader. */
  committedBefore(term: Term): Index {
    let index = this.founded;
    for (const commit of this.commits) if (commit.term < term && commit.index > index) index = commit.index;
    return index;
  }
}

/** Whether more than half of `ids` are counted by `holder`. An empty set needs nobody. */
export function isMajority(ids: readonly NodeId[], holder: (id: NodeId) => boolean): boolean {
  let count = 0;
  for (let i = 0; i < ids.length; i++) if (holder(ids[i]!)) count++;
  return ids.length === 0 || count * 2 > ids.length;
}

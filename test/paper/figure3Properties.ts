import type { Entry } from '../../src/core/raftpb/entry.js';
import { StateType, type Index, type NodeId, type Term } from '../../src/core/types.js';

/** What the properties look at in one server. */
export interface ServerView {
  readonly id: NodeId;
  readonly state: StateType;
  readonly term: Term;
  /** From index 1 on, without gaps. */
  readonly log: readonly Entry[];
  readonly applied: readonly Entry[];
}

/** A property of Raft Figure 3, which sees all servers after every event and says what is wrong. */
export interface Property {
  readonly name: string;
  /** @returns a sentence if the property does not hold, else null. */
  observe(servers: readonly ServerView[]): string | null;
}

function sameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return a.term === b.term && a.index === b.index && a.type === b.type && a.data.length === b.data.length && a.data.every((byte, i) => byte === b.data[i]);
}

const leadersOf = (servers: readonly ServerView[]) => servers.filter((server) => server.state === StateType.Leader);

/** At most one leader in a term. */
export function electionSafety(): Property {
  const leaders = new Map<Term, NodeId>();
  return {
    name: 'Election Safety',
    observe(servers) {
      for (const { id, term } of leadersOf(servers)) {
        const known = leaders.get(term) ?? id;
        if (known !== id) return `${known} and ${id} both lead term ${term}`;
        leaders.set(term, id);
      }
      return null;
    },
  };
}

/** A leader never overwrites or deletes entries of its own log. */
export function leaderAppendOnly(): Property {
  const logs = new Map<NodeId, { term: Term; log: readonly Entry[] }>();
  return {
    name: 'Leader Append-Only',
    observe(servers) {
      for (const { id, state, term, log } of servers) {
        const before = logs.get(id);
        if (state !== StateType.Leader) {
          logs.delete(id);
          continue;
        }
        if (before !== undefined && before.term === term) {
          const lost = before.log.find((entry, i) => !sameEntry(entry, log[i]));
          if (lost !== undefined) return `leader ${id} of term ${term} has lost entry ${lost.term}/${lost.index}`;
        }
        logs.set(id, { term, log });
      }
      return null;
    },
  };
}

/** Logs that have an entry with the same index and term in common are the same up to there. */
export function logMatching(): Property {
  return {
    name: 'Log Matching',
    observe(servers) {
      for (const a of servers) {
        for (const b of servers) {
          let last = Math.min(a.log.length, b.log.length);
          while (last > 0 && a.log[last - 1]!.term !== b.log[last - 1]!.term) last--;
          for (let i = 0; i < last; i++) {
            if (!sameEntry(a.log[i], b.log[i])) return `${a.id} and ${b.id} agree at ${last} and differ at ${i + 1}`;
          }
        }
      }
      return null;
    },
  };
}

/** What was committed in a term is in the logs of the leaders of all later terms. */
export function leaderCompleteness(): Property {
  // An entry that somebody applied is committed, in the term at the latest in which that one is.
  const committed = new Map<Index, { entry: Entry; by: Term }>();
  return {
    name: 'Leader Completeness',
    observe(servers) {
      for (const { term, applied } of servers) {
        for (const entry of applied) if (!committed.has(entry.index)) committed.set(entry.index, { entry, by: term });
      }
      for (const { id, term, log } of leadersOf(servers)) {
        for (const { entry, by } of committed.values()) {
          if (by < term && !sameEntry(entry, log[entry.index - 1])) return `leader ${id} of term ${term} lacks ${entry.term}/${entry.index}, committed in ${by}`;
        }
      }
      return null;
    },
  };
}

/** No two servers apply different entries at the same index. */
export function stateMachineSafety(): Property {
  const applied = new Map<Index, Entry>();
  return {
    name: 'State Machine Safety',
    observe(servers) {
      for (const server of servers) {
        for (const entry of server.applied) {
          const known = applied.get(entry.index) ?? entry;
          if (!sameEntry(known, entry)) return `${server.id} applied ${entry.term}/${entry.index}, somebody else ${known.term}/${known.index}`;
          applied.set(entry.index, known);
        }
      }
      return null;
    },
  };
}

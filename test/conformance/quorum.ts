import { JointConfig } from '../../src/core/quorum/joint.js';
import { MajorityConfig } from '../../src/core/quorum/majority.js';
import { voteResultName, type AckedIndexer } from '../../src/core/quorum/quorum.js';
import { describeQuorum } from '../support/describeQuorum.js';
import { canonicalNodeId, type Index, type NodeId } from '../../src/core/types.js';
import { findArgument, type Directive } from '../support/datadriven.js';
import { slowCommittedIndex, slowJointVoteResult } from '../support/slowQuorum.js';
import { runDirectives, runFiles } from './algebra.js';
import type { Report } from './report.js';

/** Runs the files of the algebra of quorums in a folder: `committed` and `vote` commands. */
export function runQuorumFolder(path: string): Report {
  return runFiles(path, runQuorumFile);
}

/** Runs one file of `committed` and `vote` commands. */
export function runQuorumFile(text: string, filename: string): Report {
  return runDirectives(text, filename, executeQuorum);
}

function executeQuorum(directive: Directive): string {
  switch (directive.cmd) {
    case 'committed':
      return committed(directive);
    case 'vote':
      return vote(directive);
    default:
      throw new Error(`unknown command ${directive.cmd}`);
  }
}

/** The halves as the command gives them: both orders of ids and duplicates are the command's. */
interface Voters {
  readonly ids: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  /** Whether a second half is given, be it an empty one. */
  readonly joint: boolean;
}

function votersOf(directive: Directive): Voters {
  const second = findArgument(directive, 'cfgj');
  const isZero = second?.values.length === 1 && second.values[0] === 'zero';
  return {
    ids: (findArgument(directive, 'cfg')?.values ?? []).map(parseId),
    outgoing: second === undefined || isZero ? [] : second.values.map(parseId),
    joint: second !== undefined,
  };
}

function parseId(text: string): NodeId {
  return canonicalNodeId(BigInt(text));
}

/** The values of an argument by voter; they come in the order in which voters first appear. `_` gives none. */
function valuesByVoter<T>(directive: Directive, key: string, parse: (text: string) => T): Map<NodeId, T> {
  const { ids, outgoing } = votersOf(directive);
  const voters = [...new Set([...ids, ...outgoing])];
  const values = findArgument(directive, key)?.values ?? [];
  if (values.length !== voters.length) {
    throw new Error(`mismatched input (explicit or _) for voters ${voters.join(' ')}: ${values.join(' ')}`);
  }
  const byVoter = new Map<NodeId, T>();
  voters.forEach((id, i) => {
    if (values[i] !== '_') byVoter.set(id, parse(values[i]!));
  });
  return byVoter;
}

function committed(directive: Directive): string {
  const { ids, outgoing, joint } = votersOf(directive);
  const acked = valuesByVoter(directive, 'idx', Number);
  const indexer = indexerOf(acked);
  const incoming = new MajorityConfig(ids);
  const both = new JointConfig(incoming, new MajorityConfig(outgoing));
  const index = joint ? both.committedIndex(indexer) : incoming.committedIndex(indexer);
  const slow = Math.min(slowCommittedIndex(ids, acked), slowCommittedIndex(outgoing, acked));
  const text =
    describeQuorum(joint ? both.ids : incoming.ids, indexer) +
    differs('definition', slow, index) +
    differs('exchanged halves', new JointConfig(both.outgoing, incoming).committedIndex(indexer), index);
  if (joint) return `${text}${indexText(index)}\n`;
  return (
    text +
    differs('empty second half', both.committedIndex(indexer), index) +
    differs('both halves the same', new JointConfig(incoming, incoming).committedIndex(indexer), index) +
    differs('less from those below', incoming.committedIndex(lowered(acked, index)), index) +
    `${indexText(index)}\n`
  );
}

/** Whoever is below the committed index falls back to nothing, which must not change it. */
function lowered(acked: ReadonlyMap<NodeId, Index>, committedIndex: Index): AckedIndexer {
  return indexerOf(new Map([...acked].filter(([, index]) => index >= committedIndex)));
}

function indexerOf(acked: ReadonlyMap<NodeId, Index>): AckedIndexer {
  return { ackedIndex: (id) => acked.get(id) ?? -1 };
}

function indexText(index: Index): string {
  return index === Infinity ? '∞' : String(index);
}

function vote(directive: Directive): string {
  const { ids, outgoing } = votersOf(directive);
  const votes = valuesByVoter(directive, 'votes', parseVote);
  const voters = new JointConfig(new MajorityConfig(ids), new MajorityConfig(outgoing));
  const result = voters.voteResult(votes);
  return (
    differs('definition', slowJointVoteResult([ids, outgoing], votes), result) +
    differs('exchanged halves', new JointConfig(voters.outgoing, voters.incoming).voteResult(votes), result) +
    `${voteResultName(result)}\n`
  );
}

function parseVote(text: string): boolean {
  if (text !== 'y' && text !== 'n') throw new Error(`unknown vote ${text}`);
  return text === 'y';
}

/** A line if another way to the same answer ends elsewhere; no file expects such a line. */
function differs(way: string, other: number, result: number): string {
  return other === result ? '' : `${other} <-- ${way}\n`;
}

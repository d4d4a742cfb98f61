import { LocalAppendThread, LocalApplyThread, None, type Index, type NodeId, type StateType, type Term } from '../../core/types.js';
import type { HardState } from '../../core/raftpb/state.js';
import type { Ready } from '../../core/ready.js';
import { Violation, type Checker, type ClusterView, type NodeView } from '../checker.js';
import { holds } from '../durableView.js';
import { SimEventKind, type ReadyEvent, type SimEvent, type StartedEvent } from '../simEvent.js';

/** What a node has shown so far. */
class NodeMark {
  /** Hard state handed out last. */
  term: Term = 0;
  vote: NodeId = None;
  commit: Index = 0;
  /** Term, vote and commit index in memory when it was last looked at. */
  seenTerm: Term = 0;
  seenVote: NodeId = None;
  seenCommit: Index = 0;
  /** Last index of the log that was handed out for writing, and for applying. */
  last: Index = 0;
  applying: Index = 0;
  lead: NodeId = None;
  state: StateType | -1 = -1;
  /** What the disk held when the node stopped. */
  left: HardState | null = null;
}

/**
 * I8: term and commit index never fall, and the vote of a term never changes, in memory, in what is handed out
 * to be written, and across restarts. I10: a Ready keeps its contract: entries that follow on what was handed
 * out before, committed entries in order and not beyond the commit index, a sync exactly where one is needed
 * (E13), and no Ready while one is pending.
 */
export class ReadyChecker implements Checker {
  readonly name = 'I8 monotone state, I10 Ready contract';
  readonly kinds = [SimEventKind.Started, SimEventKind.Stopped, SimEventKind.Ready, SimEventKind.Stepped, SimEventKind.Ticked];
  private readonly marks = new Map<NodeId, NodeMark>();

  onEvent(event: SimEvent, view: ClusterView): void {
    const node = view.node(event.node);
    if (node === undefined) return;
    let mark = this.marks.get(event.node);
    if (mark === undefined) {
      mark = new NodeMark();
      this.marks.set(event.node, mark);
    }
    switch (event.kind) {
      case SimEventKind.Started:
        return started(event, mark, node);
      case SimEventKind.Stopped:
        mark.left = event.dataLoss === true ? null : node.durable.hardState;
        return;
      case SimEventKind.Ready:
        checkMemory(node, mark);
        return checkReady(event, mark, node, view.settings.asyncStorageWrites);
      default:
        return checkMemory(node, mark);
    }
  }
}

function started({ hardState, lastIndex, applied }: StartedEvent, mark: NodeMark, { id, raft }: NodeView): void {
  const { left } = mark;
  if (left !== null) {
    const forgets = hardState.term < left.term || hardState.commit < left.commit || (hardState.term === left.term && left.vote !== None && hardState.vote !== left.vote);
    if (forgets) throw new Violation('I8', `node ${id} starts with ${text(hardState)}, and its disk had ${text(left)}`);
  }
  if (raft !== null && (raft.term !== hardState.term || raft.vote !== hardState.vote || raft.log.committed < hardState.commit)) {
    throw new Violation('I8', `node ${id} starts in term ${raft.term} with a vote for ${raft.vote}, and its storage says ${text(hardState)}`);
  }
  mark.term = mark.seenTerm = hardState.term;
  mark.vote = mark.seenVote = hardState.vote;
  mark.commit = hardState.commit;
  mark.seenCommit = raft === null ? hardState.commit : raft.log.committed;
  mark.last = lastIndex;
  mark.applying = raft === null ? applied : raft.log.applying;
  mark.lead = None;
  mark.state = -1;
}

function text({ term, vote, commit }: HardState): string {
  return `term ${term}, vote ${vote}, commit ${commit}`;
}

function checkMemory({ id, raft }: NodeView, mark: NodeMark): void {
  if (raft === null) return;
  const { term, vote } = raft;
  const { committed } = raft.log;
  if (term < mark.seenTerm) throw new Violation('I8', `the term of node ${id} falls from ${mark.seenTerm} to ${term}`);
  if (term === mark.seenTerm && vote !== mark.seenVote && mark.seenVote !== None) {
    throw new Violation('I8', `node ${id} has voted for ${mark.seenVote} in term ${term}, and now for ${vote}`);
  }
  if (committed < mark.seenCommit) throw new Violation('I8', `the commit index of node ${id} falls from ${mark.seenCommit} to ${committed}`);
  mark.seenTerm = term;
  mark.seenVote = vote;
  mark.seenCommit = committed;
}

function checkReady({ ready, pending }: ReadyEvent, mark: NodeMark, node: NodeView, async: boolean): void {
  const { id } = node;
  if (pending && !async) throw new Violation('I10', `node ${id} hands out a Ready while one is pending`);
  checkSync(id, ready, mark);
  checkHardState(id, ready.hardState, mark);
  checkSoftState(id, ready, mark);
  if (ready.snapshot !== null) {
    mark.last = ready.snapshot.metadata.index;
    mark.applying = mark.last;
  }
  checkEntries(node, ready, mark);
  checkCommitted(node, ready, mark, async);
  checkMessages(id, ready, async);
}

/** The table of E13: entries, another term or another vote. */
function checkSync(id: NodeId, { entries, hardState, mustSync }: Ready, mark: NodeMark): void {
  const needed = entries.length > 0 || (hardState !== null && (hardState.term !== mark.term || hardState.vote !== mark.vote));
  if (needed !== mustSync) throw new Violation('I10', `node ${id} hands out ${entries.length} entries and says mustSync ${mustSync}`);
}

function checkHardState(id: NodeId, hardState: HardState | null, mark: NodeMark): void {
  if (hardState === null) return;
  const { term, vote, commit } = hardState;
  if (term < mark.term || commit < mark.commit || (term === mark.term && mark.vote !== None && vote !== mark.vote)) {
    throw new Violation('I8', `node ${id} hands out ${text(hardState)} after ${text(mark)}`);
  }
  if (term === mark.term && vote === mark.vote && commit === mark.commit) {
    throw new Violation('I10', `node ${id} hands out the same hard state twice`);
  }
  mark.term = term;
  mark.vote = vote;
  mark.commit = commit;
}

function checkSoftState(id: NodeId, { softState }: Ready, mark: NodeMark): void {
  if (softState === null) return;
  if (softState.lead === mark.lead && softState.state === mark.state) throw new Violation('I10', `node ${id} hands out the same soft state twice`);
  mark.lead = softState.lead;
  mark.state = softState.state;
}

function checkEntries({ id, raft }: NodeView, { entries, hardState }: Ready, mark: NodeMark): void {
  if (entries.length > 0) {
    const first = entries[0]!;
    if (first.index > mark.last + 1) throw new Violation('I10', `node ${id} hands out entries from ${first.index}, and had handed out up to ${mark.last}`);
    for (let i = 1; i < entries.length; i++) {
      if (entries[i]!.index !== first.index + i || entries[i]!.term < entries[i - 1]!.term) {
        throw new Violation('I10', `node ${id} hands out entry ${entries[i]!.term}/${entries[i]!.index} after ${entries[i - 1]!.term}/${entries[i - 1]!.index}`);
      }
    }
    mark.last = first.index + entries.length - 1;
  }
  if (hardState !== null && hardState.commit > mark.last) throw new Violation('I10', `node ${id} hands out the commit index ${hardState.commit}, and entries up to ${mark.last}`);
  if (raft === null || raft.log.lastIndex() === mark.last) return;
  // A Ready may leave entries for the next one, if very many wait. Storage threads get all of them.
  const { log, config } = raft;
  const mayWait = entries.length > 0 && mark.last < log.lastIndex() && log.unstable.count > config.maxEntriesPerReady && !config.asyncStorageWrites;
  if (!mayWait) throw new Violation('I10', `node ${id} has entries up to ${log.lastIndex()}, and has handed out up to ${mark.last}`);
}

function checkCommitted({ id, raft, durable }: NodeView, { committedEntries }: Ready, mark: NodeMark, async: boolean): void {
  if (committedEntries.length === 0) return;
  for (let i = 0; i < committedEntries.length; i++) {
    const { index } = committedEntries[i]!;
    if (index !== mark.applying + 1 + i) throw new Violation('I10', `node ${id} hands out ${index} to apply, where ${mark.applying + 1 + i} is next`);
  }
  mark.applying += committedEntries.length;
  if (raft !== null && mark.applying > raft.log.committed) throw new Violation('I10', `node ${id} hands out ${mark.applying} to apply, and has committed ${raft.log.committed}`);
  if (mark.applying > mark.last) throw new Violation('I10', `node ${id} hands out ${mark.applying} to apply, and to write only up to ${mark.last}`);
  // With a thread of its own nothing orders the application behind the write but this.
  const { term } = committedEntries[committedEntries.length - 1]!;
  if (async && !holds(durable, mark.applying, term)) throw new Violation('I10', `node ${id} hands out ${mark.applying} to apply, and its disk does not have ${term}/${mark.applying}`);
}

function checkMessages(id: NodeId, { messages, entries, snapshot }: Ready, async: boolean): void {
  let writes = 0;
  for (let i = 0; i < messages.length; i++) {
    const { to } = messages[i]!;
    if (to === id) throw new Violation('I10', `node ${id} hands out a message to itself`);
    const local = to === LocalAppendThread || to === LocalApplyThread;
    if (local && !async) throw new Violation('I10', `node ${id} hands out work for a thread that it does not have`);
    if (to === LocalAppendThread) writes++;
  }
  if (async && writes !== 1 && (entries.length > 0 || snapshot !== null || writes > 1)) {
    throw new Violation('I10', `node ${id} asks ${writes} times for a write of ${entries.length} entries`);
  }
}

import { MessageType, messageTypeName } from '../../core/raftpb/messageType.js';
import type { Message } from '../../core/raftpb/message.js';
import { StateType } from '../../core/types.js';
import { Violation, type Checker, type ClusterView, type NodeView } from '../checker.js';
import { SimEventKind, type SimEvent } from '../simEvent.js';
import { holds } from '../durableView.js';
import type { RunHistory } from './runHistory.js';

/**
 * What a message says must be on the disk of its sender when it leaves (Raft Figure 2, "updated on stable
 * storage before responding"). I11: an acknowledgement, the log up to its index. I12: a granted vote, the
 * vote. I13: everything that speaks for a term, the term; a vote request, also the own vote and the log it
 * boasts of (D5). Pre-votes, answers to heartbeats and forwarded requests promise nothing.
 *
 * Where the disk is in a later term already, the promise was kept: what replaced it was decided after it.
 */
export class DurabilityChecker implements Checker {
  readonly name = 'I11 durable before ack, I12 durable before vote, I13 durable before term';
  readonly kinds = [SimEventKind.Send];
  private readonly history: RunHistory;

  /** @param history of this run. */
  constructor(history: RunHistory) {
    this.history = history;
  }

  onEvent(event: SimEvent, view: ClusterView): void {
    if (event.kind !== SimEventKind.Send) return;
    const m = event.message;
    switch (m.type) {
      case MessageType.MsgApp:
      case MessageType.MsgSnap:
      case MessageType.MsgVoteResp:
      case MessageType.MsgVote:
      case MessageType.MsgAppResp:
        break;
      default:
        return;
    }
    const node = view.node(event.node);
    if (node === undefined) return;
    const { term } = node.durable.hardState;
    if (term > m.term) return;
    if (term < m.term) throw new Violation('I13', `node ${node.id} sends ${messageTypeName(m.type)} of term ${m.term}, and its disk has term ${term}`);
    if (m.type === MessageType.MsgAppResp && !m.reject) this.checkAck(node, m, view);
    else if (m.type === MessageType.MsgVoteResp && !m.reject) checkVote(node, m);
    else if (m.type === MessageType.MsgVote) checkRequest(node, m);
  }

  private checkAck(node: NodeView, m: Message, view: ClusterView): void {
    const { durable, raft } = node;
    const { index } = m;
    if (index <= durable.offset) return;
    const found = durable.term(index);
    // As long as the sender is in that term its log up to there is what the leader has sent.
    if (raft !== null && raft.term === m.term) {
      const expected = raft.log.term(index);
      if (expected !== -1 && found !== expected) {
        throw new Violation('I11', `node ${node.id} acknowledges ${index}, where it has term ${expected} in memory and ${found} on its disk`);
      }
    }
    if (found === -1) throw new Violation('I11', `node ${node.id} acknowledges ${index}, and its disk ends at ${durable.lastIndex}`);
    const leader = this.history.leaderOf.get(m.term);
    const leaderRaft = leader === undefined ? null : (view.node(leader)?.raft ?? null);
    if (leaderRaft === null || leaderRaft.term !== m.term || leaderRaft.state !== StateType.Leader) return;
    const leaderLast = leaderRaft.log.lastIndex();
    if (index > leaderLast) throw new Violation('I11', `node ${node.id} acknowledges ${index}, and the log of the leader of term ${m.term} ends at ${leaderLast}`);
    const sent = leaderRaft.log.term(index);
    const right = sent === -1 ? this.history.committedTerm(index) : sent;
    if (right !== 0 && !holds(durable, index, right)) {
      throw new Violation('I11', `node ${node.id} acknowledges ${index} to the leader of term ${m.term}, which has term ${right} there; its disk has ${found}`);
    }
  }
}

function checkVote({ id, durable }: NodeView, m: Message): void {
  const { vote } = durable.hardState;
  if (vote !== m.to) throw new Violation('I12', `node ${id} grants its vote of term ${m.term} to ${m.to}, and its disk has a vote for ${vote}`);
}

function checkRequest({ id, durable }: NodeView, m: Message): void {
  const { vote } = durable.hardState;
  if (vote !== id) throw new Violation('I13', `node ${id} asks for votes in term ${m.term}, and its disk has a vote for ${vote}`);
  const { lastIndex, lastTerm } = durable;
  if (lastTerm > m.logTerm || (lastTerm === m.logTerm && lastIndex >= m.index)) return;
  throw new Violation('I13', `node ${id} asks for votes with a log up to ${m.logTerm}/${m.index}, and its disk ends at ${lastTerm}/${lastIndex}`);
}

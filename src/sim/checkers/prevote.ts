import { MessageType, messageTypeName } from '../../core/raftpb/messageType.js';
import { StateType, type NodeId, type Term } from '../../core/types.js';
import { Violation, type Checker, type ClusterView } from '../checker.js';
import { SimEventKind, type RoleEvent, type SimEvent, type SteppedEvent } from '../simEvent.js';

/**
 * I16, pre-vote purity (dissertation §9.6): asking and answering changes neither term nor vote of anyone, but
 * for two cases: a refusal that tells of a higher term, and a pre-vote that is won and becomes an election.
 */
export class PreVoteChecker implements Checker {
  readonly name = 'I16 pre-vote purity';
  readonly kinds = [SimEventKind.Started, SimEventKind.Role, SimEventKind.Stepped];
  private readonly terms = new Map<NodeId, Term>();

  onEvent(event: SimEvent, view: ClusterView): void {
    switch (event.kind) {
      case SimEventKind.Started:
        this.terms.set(event.node, event.hardState.term);
        return;
      case SimEventKind.Role:
        return this.role(event);
      case SimEventKind.Stepped:
        if (event.message.type === MessageType.MsgPreVote || event.message.type === MessageType.MsgPreVoteResp) stepped(event, view);
        return;
      default:
    }
  }

  private role({ node, state, term }: RoleEvent): void {
    const before = this.terms.get(node) ?? 0;
    this.terms.set(node, term);
    if (state === StateType.PreCandidate && term !== before) throw new Violation('I16', `node ${node} goes from term ${before} to ${term} with a pre-vote`);
  }
}

function stepped({ node, message: m, termBefore, voteBefore }: SteppedEvent, view: ClusterView): void {
  const raft = view.node(node)?.raft;
  if (raft === null || raft === undefined || (raft.term === termBefore && raft.vote === voteBefore)) return;
  if (m.type === MessageType.MsgPreVoteResp) {
    if (m.reject && m.term > termBefore && raft.term === m.term) return;
    if (!m.reject && raft.term === termBefore + 1 && raft.vote === node) return;
  }
  throw new Violation('I16', `a ${messageTypeName(m.type)} takes node ${node} from term ${termBefore} and vote ${voteBefore} to term ${raft.term} and vote ${raft.vote}`);
}

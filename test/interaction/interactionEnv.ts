import { describeMessage } from '../../src/core/describe.js';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { isResponseMsg, MessageType } from '../../src/core/raftpb/messageType.js';
import type { Snapshot } from '../../src/core/raftpb/state.js';
import { isProposalDrop, StepResult } from '../../src/core/raft/stepResult.js';
import { isLocalThread, ReadOnlyOption, type NodeId } from '../../src/core/types.js';
import { Output } from './output.js';
import { ScriptNode, type ScriptConfig } from './scriptNode.js';

/** Line that stands for a dropped proposal, whatever the reason. */
const proposalDroppedLine = 'raft proposal dropped';

/** Whether a message stays inside one process, and so can be neither lost nor duplicated. */
export function staysInside(m: Message): boolean {
  return m.from === m.to || isLocalThread(m.from) || isLocalThread(m.to);
}

/** A cluster under script control: its nodes, the messages between them, and what commands print. */
export class InteractionEnv {
  /** Node i stands at position i - 1. */
  readonly nodes: ScriptNode[] = [];
  readonly output = new Output();
  /** Messages that were sent and not delivered, in the order of sending. */
  inFlight: Message[] = [];
  /** Options for the nodes added from here on. Timeouts are not random; nothing has a limit. */
  defaults: ScriptConfig = {
    electionTick: 3,
    heartbeatTick: 1,
    asyncStorageWrites: false,
    maxSizePerMsg: Infinity,
    maxUncommittedEntriesSize: Infinity,
    maxInflightMsgs: 2 ** 31 - 1,
    maxInflightBytes: Infinity,
    checkQuorum: false,
    preVote: false,
    readOnlyOption: ReadOnlyOption.Safe,
    leaseMarginTicks: 0,
    strictReads: false,
    disableProposalForwarding: false,
    disableConfChangeValidation: false,
    stepDownOnRemoval: false,
    random: () => 0,
  };

  /** @throws Error if there is no such node. */
  node(id: NodeId): ScriptNode {
    const node = this.nodes[Number(id) - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Adds a node with the next id. */
  addNode(config: ScriptConfig, start: Snapshot): void {
    this.nodes.push(new ScriptNode(this.nodes.length + 1, config, start));
  }

  /**
   * Takes out the in-flight messages to a node.
   *
   * @param type only those of this type; null for all.
   */
  takeMessages(to: NodeId, type: MessageType | null, includeLocal: boolean): Message[] {
    const taken: Message[] = [];
    const left: Message[] = [];
    for (const m of this.inFlight) {
      const matches = m.to === to && (type === null || m.type === type) && (includeLocal || !staysInside(m));
      (matches ? taken : left).push(m);
    }
    if (taken.length > 0) this.inFlight = left;
    return taken;
  }

  /** Prints a message, hands it to its receiver, and prints the refusal if it is one that scripts show. */
  deliver(m: Message): void {
    this.output.print(`${describeMessage(m)}\n`);
    const rawNode = this.node(m.to).rawNode;
    // Answers of the storage threads and of the node to itself; a request can come back to its author
    // from the network when it was forwarded twice.
    const result = staysInside(m) && isResponseMsg(m.type) ? rawNode.stepStorageResponse(m) : rawNode.step(m);
    const refusal = refusalLine(m, result);
    if (refusal !== null) this.output.print(`${refusal}\n`);
  }

  /** Runs a call that proposes; a dropped proposal prints its line. */
  propose(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!isRaftError(error, RaftErrorCode.ProposalDropped)) throw error;
      this.output.refuse(proposalDroppedLine);
    }
  }
}

/** What scripts show of a refused message; null for what only this library refuses. */
function refusalLine(m: Message, result: StepResult): string | null {
  if (m.type === MessageType.MsgProp && isProposalDrop(result)) return proposalDroppedLine;
  if (result === StepResult.PeerNotFound && isResponseMsg(m.type)) return 'raft: cannot step as peer not found';
  if (result === StepResult.LocalMessage) return 'raft: cannot step raft local message';
  return null;
}

import { expect } from '@jest/globals';
import { checkInvariants } from '../../src/core/checkInvariants.js';
import type { Message } from '../../src/core/raftpb/message.js';
import { StepResult } from '../../src/core/raft/stepResult.js';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import type { RandomSource } from '../../src/core/random.js';
import { ReadOnlyOption, StateType, type NodeId } from '../../src/core/types.js';
import { HostileSender } from './hostileMessages.js';
import { bytes, RawGroup, type HostedNode, type NodeOptions } from './rawGroup.js';
import { stateHash } from './stateHash.js';

/** Answers of the wall: nothing has happened yet. */
export const wallReasons: ReadonlySet<StepResult> = new Set([
  StepResult.LocalMessage, StepResult.PeerNotFound, StepResult.Malformed, StepResult.UnknownType, StepResult.NotForMe,
  StepResult.BadSender, StepResult.BadNumber, StepResult.BadTerm, StepResult.BadEntries, StepResult.BadIndex, StepResult.BadSnapshot,
  StepResult.BadProposal, StepResult.NotEntitled,
]);

function randomOptions(random: RandomSource): NodeOptions {
  const checkQuorum = random(3) > 0;
  return {
    random,
    electionTick: 5,
    checkQuorum,
    preVote: random(2) === 0,
    asyncStorageWrites: random(2) === 0,
    readOnlyOption: checkQuorum && random(3) === 0 ? ReadOnlyOption.LeaseBased : ReadOnlyOption.Safe,
    leaseMarginTicks: 0,
    maxInflightMsgs: random(2) === 0 ? 2 : 256,
    maxSizePerMsg: random(3) === 0 ? 0 : 1 << 20,
    maxInflightBytes: random(3) === 0 ? 1 << 20 : Infinity,
    disableConfChangeValidation: random(4) === 0,
    stepDownOnRemoval: random(2) === 0,
    disableProposalForwarding: random(4) === 0,
  };
}

/** One honest group, one of whose members hears hostile messages beside the honest ones. */
class Attack {
  readonly group: RawGroup;
  readonly victim: HostedNode;
  readonly honest: readonly HostedNode[];
  private readonly random: RandomSource;
  private readonly sender: HostileSender;
  private recorded: Message[] = [];
  private proposals = 0;

  constructor(random: RandomSource) {
    this.random = random;
    const voters = 3 + random(3);
    const learners = random(2) === 0 ? [voters + 1] : [];
    const ids: NodeId[] = Array.from({ length: voters }, (_, i) => i + 1);
    this.group = new RawGroup({ voters: ids, learners }, randomOptions(random));
    this.group.drop = (m) => {
      if (this.recorded.length < 200) this.recorded.push(m);
      return false;
    };
    const all = [...this.group.nodes.values()];
    this.victim = all[random(all.length)]!;
    this.honest = all.filter((hosted) => hosted !== this.victim);
    this.sender = new HostileSender(random, all.map(({ id }) => id));
  }

  /** Brings the victim into some role and into some state of flow control, honestly. */
  prepare(): void {
    const { group, victim, random } = this;
    const first = random(3) === 0 ? victim : this.honest[0]!;
    if (!first.raft.tracker.config.learners.includes(first.id)) group.elect(first.id);
    for (let i = random(8); i > 0; i--) {
      this.propose(first);
      if (random(2) === 0) group.settle();
    }
    group.settle();
    if (random(3) === 0 && first.storage.lastIndex() > 3) {
      first.storage.createSnapshot(first.raft.log.applied, first.confState, bytes('state'));
      first.storage.compact(first.raft.log.applied);
    }
    // Now nobody hears the victim any more: whatever it is made to believe stays with it.
    group.cutOff.add(victim.id);
    for (let i = random(12); i > 0; i--) victim.node.tick();
    if (random(3) === 0) victim.node.campaign();
    if (random(2) === 0) victim.handleReadys();
  }

  propose(hosted: HostedNode): void {
    try {
      hosted.node.propose(bytes(`p${this.proposals++}`));
    } catch (error) {
      if (!isRaftError(error, RaftErrorCode.ProposalDropped)) throw error;
    }
  }

  /** One hostile message. Returns what became of it. */
  strike(hashBefore: number): { result: StepResult; hash: number } {
    const { victim } = this;
    const m = this.sender.next(victim.raft, this.recorded);
    const term = victim.raft.term;
    const result = victim.node.step(m);
    const hash = stateHash(victim.raft);
    // Past the wall a higher term is adopted, even if the rest of the message is then refused.
    const mayHaveChanged = result === StepResult.Ok || (victim.raft.term > term && !wallReasons.has(result));
    if (!mayHaveChanged && hash !== hashBefore) throw new Error(`refused as ${result}, but the state has changed`);
    if (!Object.values<string>(StepResult).includes(result)) throw new Error(`step answered ${String(result)}`);
    return { result, hash };
  }

  /** The victim's host goes on with its own work, in any order. */
  host(): void {
    const { victim, random } = this;
    switch (random(8)) {
      case 0:
        victim.node.tick();
        return;
      case 1:
        victim.handleReadys();
        return;
      case 2:
        this.propose(victim);
        return;
      case 3:
        victim.node.readIndex(bytes('read'));
        return;
      case 4:
        victim.node.campaign();
        return;
      case 5:
        if (victim.node.hasReady() && victim.work.length === 0) this.readyInTheMiddle();
        return;
      default:
        victim.handleReadys();
    }
  }

  /** Hostile messages between `ready` and `advance`. */
  private readyInTheMiddle(): void {
    const { victim } = this;
    if (victim.raft.config.asyncStorageWrites) {
      victim.handleReady();
      return;
    }
    const ready = victim.node.ready();
    for (let i = 0; i < 3; i++) this.strike(stateHash(victim.raft));
    victim.persist(ready);
    victim.apply(ready.committedEntries);
    victim.node.advance(ready);
  }
}

/** What became of the messages of an attack. */
export interface AttackReport {
  /** Messages that were stepped. */
  messages: number;
  /** How often `step` gave each answer. */
  readonly results: Map<StepResult, number>;
  /** Roles of the victim that were met. */
  readonly roles: Set<StateType>;
}

/**
 * Attacks one honest group with so many messages. Throws if `step` does, if a refusal changes the state, if an invariant
 * of the victim is broken, or if the rest of the group does not go on.
 */
export function attackGroup(random: RandomSource, messages: number, report: AttackReport): void {
  const attack = new Attack(random);
  attack.prepare();
  const { group, victim, honest } = attack;
  const { results, roles } = report;
  let hash = stateHash(victim.raft);
  for (let i = 0; i < messages; i++) {
    roles.add(victim.raft.state);
    const struck = attack.strike(hash);
    hash = struck.hash;
    report.messages++;
    results.set(struck.result, (results.get(struck.result) ?? 0) + 1);
    if (i % 8 === 0) checkInvariants(victim.node);
    if (random(6) === 0) {
      attack.host();
      hash = stateHash(victim.raft);
    }
    if (i % 50 === 0) {
      for (const other of honest) other.node.tick();
      attack.propose(honest[random(honest.length)]!);
      group.collect();
      group.deliver();
      hash = stateHash(victim.raft);
    }
  }
  expectOthersToGoOn(attack);
}

function expectOthersToGoOn({ group, honest }: Attack): void {
  group.drop = () => false;
  const others = honest.map(({ id }) => id);
  for (let i = 0; i < 100 && !honest.some(({ raft }) => raft.state === StateType.Leader && raft.lead === raft.id && isFollowed(honest, raft.id)); i++) {
    group.tick(1, ...others);
  }
  const leader = honest.find(({ raft }) => raft.state === StateType.Leader && isFollowed(honest, raft.id));
  expect(leader).toBeDefined();
  const at = leader!.node.propose(bytes('after the attack'));
  group.tick(3, ...others);
  for (const hosted of honest) {
    expect(hosted.applied).toContain(`${at!.index}/${at!.term} after the attack`);
    expect(hosted.applied).toEqual(honest[0]!.applied);
  }
}

function isFollowed(honest: readonly HostedNode[], id: NodeId): boolean {
  return honest.every(({ raft }) => raft.lead === id);
}

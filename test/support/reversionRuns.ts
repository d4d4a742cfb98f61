import { expect } from '@jest/globals';
import { ConfChangeType, newConfChangeV2 } from '../../src/core/raftpb/confChange.js';
import type { RandomSource } from '../../src/core/random.js';
import { ReadOnlyOption, type Index, type Term } from '../../src/core/types.js';
import { copyOfStorage, emptyDisk, ShakyGroup, type ShakyNode } from './shakyGroup.js';

/** Whether, and when, the operator permits it. */
export type Permission = 'no' | 'before' | 'after' | 'always';

function pick<T>(random: RandomSource, values: readonly T[]): T {
  return values[random(values.length)]!;
}

/** A group whose options and weather are drawn, with a leader and some entries. */
function drawGroup(random: RandomSource, loosenFollowerLogRevert = false): ShakyGroup {
  const count = pick(random, [3, 3, 4, 5]);
  const voters = Array.from({ length: count }, (_, i) => i + 1);
  const readOnlyOption = pick(random, [ReadOnlyOption.Safe, ReadOnlyOption.LeaseBased]);
  const group = new ShakyGroup(
    { voters, learners: random(3) === 0 ? [count + 1] : [] },
    {
      loosenFollowerLogRevert,
      electionTick: 10,
      heartbeatTick: pick(random, [1, 1, 2, 3]),
      asyncStorageWrites: random(2) === 0,
      preVote: random(2) === 0,
      checkQuorum: readOnlyOption === ReadOnlyOption.LeaseBased || random(2) === 0,
      readOnlyOption,
      maxSizePerMsg: pick(random, [20, 100, 1024]),
      maxInflightMsgs: pick(random, [1, 3, 256]),
    },
    { loss: pick(random, [0, 5, 15]), twice: pick(random, [0, 10, 40]), replays: pick(random, [0, 1, 5]), delay: pick(random, [0, 1, 2, 3]) },
    random,
  );
  group.tickUntil(() => (group.leader?.commit ?? 0) > 0, 300);
  return group;
}

function propose(group: ShakyGroup, random: RandomSource): void {
  const node = group.leader?.node;
  if (node === undefined) return;
  for (let i = random(3); i >= 0; i--) {
    try {
      node.propose(Uint8Array.of(random(256), random(256)));
    } catch {
      // Dropped, since leadership is being handed over.
    }
  }
}

/** A voter becomes a learner, or the reverse. Three voters stay, so that one may forget. */
function changeRole(group: ShakyGroup, random: RandomSource): void {
  const nodeId = 1 + random(group.nodes.length);
  const leader = group.leader?.node;
  const fewVoters = (leader?.status().config.voters.length ?? 0) <= 3;
  const type = fewVoters || random(2) === 0 ? ConfChangeType.ConfChangeAddNode : ConfChangeType.ConfChangeAddLearnerNode;
  try {
    leader?.proposeConfChange(newConfChangeV2({ changes: [{ type, nodeId }] }));
  } catch {
    // Refused: another one is pending, or nobody would be left to vote.
  }
}

/** Something happens that may happen on any day: everything but a disk that forgets. */
function fault(group: ShakyGroup, random: RandomSource): void {
  const node = pick(random, group.nodes);
  switch (random(9)) {
    case 0:
      node.up = false;
      return;
    case 1:
    case 2:
      node.start();
      return;
    case 3:
      if (node.up) node.compact();
      return;
    case 4:
      if (node.up) node.node.campaign();
      return;
    case 5:
      group.leader?.node.transferLeader(node.id);
      return;
    case 6:
      group.cutOff = random(2) === 0 ? [] : [node.id];
      return;
    case 7:
      changeRole(group, random);
      return;
    default:
      group.leader?.node.reportUnreachable(node.id);
  }
}

/** A group in every kind of trouble but a disk that forgets, for a while. */
export function runWithoutWipe(random: RandomSource): ShakyGroup {
  const group = drawGroup(random);
  for (let i = 0; i < 300; i++) {
    if (random(2) === 0) propose(group, random);
    if (random(6) === 0) fault(group, random);
    group.tick();
  }
  return group;
}

/** How a disk forgot, and what came of it. */
export interface Outcome {
  /** `found`: the leader noticed. `healed`: a snapshot or a late message made up for the loss before that. `term`: the leadership ended before. */
  readonly kind: 'found' | 'healed' | 'term' | 'missed';
  /** From when the node was back. */
  readonly ticks: number;
}

interface Wipe {
  readonly outcome: Outcome;
  readonly victim: ShakyNode;
  /** Who led when the disk forgot. */
  readonly leader: ShakyNode;
}

/** What was committed before the disk forgot is there, and nobody is taken to hold what it does not. */
function checkMatches(group: ShakyGroup): void {
  const leader = group.leader;
  leader?.node.withProgress((id, { match }) => {
    const held = group.get(id).storage;
    if (match > held.lastIndex()) throw new Error(`node ${id} is taken to hold ${match}, and holds ${held.lastIndex()}`);
    const own = leader.storage;
    if (match < held.firstIndex() || match < own.firstIndex() || match > own.lastIndex()) return;
    if (held.term(match) !== own.term(match)) throw new Error(`node ${id} is taken to hold ${match} of another term`);
  });
}

/** All run, nobody is cut off, and somebody leads whom all others follow. */
function heal(group: ShakyGroup): void {
  const { weather } = group;
  // Old heartbeats that come again for ever would keep a group without a leader from electing one.
  group.weather = { loss: Math.min(weather.loss, 5), twice: 0, replays: 0, delay: Math.min(weather.delay, 1) };
  group.cutOff = [];
  for (const node of group.nodes) if (!node.up) node.start();
  const isQuiet = (): boolean => {
    const status = group.leader?.node.status();
    if (status === undefined || status.hardState.commit < status.lastIndex) return false;
    return [...status.progress.values()].every(({ match, quarantined }) => match === status.lastIndex || quarantined);
  };
  expect(group.tickUntil(isQuiet, 1000)).toBeLessThan(1000);
  group.weather = weather;
}

function holds(storage: ShakyNode['storage'], index: Index, term: Term): boolean {
  if (index < storage.firstIndex()) return index < storage.firstIndex() - 1 || storage.term(index) === term;
  return index <= storage.lastIndex() && storage.term(index) === term;
}

function forget(group: ShakyGroup, random: RandomSource, permit: Permission): Wipe {
  const busy = random(2) === 0;
  const victim = pick(random, group.nodes.filter((node) => !node.leads));
  const backup = copyOfStorage(victim.storage);
  for (let i = random(20); i >= 0; i--) {
    propose(group, random);
    if (random(8) === 0) fault(group, random);
    group.tick();
  }
  heal(group);
  // A message that takes a third of an election timeout, or is lost every seventh time, may need more than three of them.
  group.weather = { ...group.weather, loss: Math.min(group.weather.loss, 5), delay: Math.min(group.weather.delay, 2) };
  const leader = group.leader!;
  if (leader === victim) return { outcome: { kind: 'term', ticks: 0 }, victim, leader };
  const { hardState, progress } = leader.node.status();
  const { match } = progress.get(victim.id)!;
  const term = victim.storage.term(match);

  victim.up = false;
  if (permit === 'before') leader.node.allowNextRevert(victim.id, true);
  for (let i = random(15); i > 0; i--) {
    if (busy) propose(group, random);
    if (random(10) === 0) leader.compact();
    group.tick();
  }
  victim.storage = holds(backup, match, term) || random(2) === 0 ? emptyDisk(group.confState) : backup;
  victim.start();

  let healedFor = 0;
  for (let ticks = 1; ticks <= 60; ticks++) {
    if (busy && random(2) === 0) propose(group, random);
    group.tick();
    if (!leader.leads || leader.node.basicStatus().hardState.term !== hardState.term) return { outcome: { kind: 'term', ticks }, victim, leader };
    if (leader.node.basicStatus().quarantines > 0) return { outcome: { kind: 'found', ticks }, victim, leader };
    // A question may still be under way.
    if (holds(victim.storage, match, term) && ++healedFor > 10) return { outcome: { kind: 'healed', ticks }, victim, leader };
  }
  return { outcome: { kind: 'missed', ticks: 60 }, victim, leader };
}

/** Accidents, but for the node that has forgotten: it would forget that as well, and the leader could not tell it at once. */
function accidents(group: ShakyGroup, random: RandomSource, spared: ShakyNode): void {
  for (let i = 0; i < 100; i++) {
    if (random(2) === 0) propose(group, random);
    if (random(10) === 0) {
      const node = pick(random, group.nodes.filter((other) => other !== spared));
      if (random(2) === 0) node.up = false;
      else node.start();
    }
    group.tick();
    checkMatches(group);
  }
}

/**
 * A group in which one disk forgets, all of it or what came after a backup. Checks who is taken to hold what, before
 * and after further accidents, and that everybody agrees in the end.
 */
export function runWithWipe(random: RandomSource, permit: Permission): Outcome {
  const group = drawGroup(random, permit === 'always');
  const { outcome, victim, leader } = forget(group, random, permit);
  if (outcome.kind === 'found') {
    const isOut = permit === 'no' || permit === 'after';
    expect(leader.node.status().progress.get(victim.id)).toMatchObject({ quarantined: isOut });
    for (let i = 0; i < 20 && leader.leads; i++) {
      propose(group, random);
      group.tick();
      checkMatches(group);
    }
    if (permit === 'after' && leader.leads) leader.node.allowNextRevert(victim.id, true);
    // Whoever is permitted to start over may vote before it holds everything again: no accidents until then.
    if (permit !== 'no') heal(group);
    accidents(group, random, victim);
  }
  heal(group);
  const last = group.leader?.node;
  if (last?.status().progress.get(victim.id)?.quarantined === true) last.allowNextRevert(victim.id, true);
  heal(group);
  expect(victim.node.basicStatus().lostUpTo).toBe(0);
  return outcome;
}

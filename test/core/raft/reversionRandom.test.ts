import { describe, expect, test } from '@jest/globals';
import { ConfChangeType, newConfChangeV2 } from '../../../src/core/raftpb/confChange.js';
import type { RandomSource } from '../../../src/core/random.js';
import { ReadOnlyOption, type Index } from '../../../src/core/types.js';
import { announceSeed, seededRandom } from '../../support/seededRandom.js';
import { copyOfStorage, emptyDisk, ShakyGroup, type ShakyNode } from '../../support/shakyGroup.js';

const runs = Number(process.env['RUNS'] ?? 60);

function pick<T>(random: RandomSource, values: readonly T[]): T {
  return values[random(values.length)]!;
}

/** A group whose options and weather are drawn, with a leader and some entries. */
function drawGroup(random: RandomSource): ShakyGroup {
  const count = pick(random, [3, 3, 4, 5]);
  const voters = Array.from({ length: count }, (_, i) => i + 1);
  const readOnlyOption = pick(random, [ReadOnlyOption.Safe, ReadOnlyOption.LeaseBased]);
  const group = new ShakyGroup(
    { voters, learners: random(3) === 0 ? [count + 1] : [] },
    {
      electionTick: 10,
      heartbeatTick: pick(random, [1, 1, 2, 3]),
      asyncStorageWrites: random(2) === 0,
      preVote: random(2) === 0,
      checkQuorum: readOnlyOption === ReadOnlyOption.LeaseBased || random(2) === 0,
      readOnlyOption,
      maxSizePerMsg: pick(random, [0, 20, 1024]),
      maxInflightMsgs: pick(random, [1, 3, 256]),
    },
    { loss: pick(random, [0, 5, 15]), twice: pick(random, [0, 10, 40]), replays: pick(random, [0, 1, 5]), delay: pick(random, [0, 1, 3]) },
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

function changeRole(group: ShakyGroup, random: RandomSource): void {
  const id = 1 + random(group.nodes.length);
  const type = pick(random, [ConfChangeType.ConfChangeAddNode, ConfChangeType.ConfChangeAddLearnerNode]);
  try {
    group.leader?.node.proposeConfChange(newConfChangeV2({ changes: [{ type, nodeId: id }] }));
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

test('O12: nobody is suspected for what networks, crashes and slow disks do', () => {
  const seed = announceSeed('reversionRandom');
  for (let run = 0; run < runs; run++) {
    const random = seededRandom(seed + run);
    const group = drawGroup(random);
    for (let i = 0; i < 300; i++) {
      if (random(2) === 0) propose(group, random);
      if (random(6) === 0) fault(group, random);
      group.tick();
    }
    expect({ seed: seed + run, alarms: group.alarms }).toEqual({ seed: seed + run, alarms: [] });
    expect(group.history.size).toBeGreaterThan(0);
  }
});

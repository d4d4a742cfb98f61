import type { FaultWeights } from '../../../src/sim/index.js';

const none: FaultWeights = { partition: 0, minority: 0, cutLeader: 0, clog: 0, replay: 0, crash: 0, crashAll: 0, pause: 0, disk: 0, membership: 0, transfer: 0, campaign: 0, forgetLeader: 0, compaction: 0, reports: 0, workload: 0 };

/** Faults of these groups and no others. */
export function only(weights: Partial<FaultWeights>): FaultWeights {
  return { ...none, ...weights };
}

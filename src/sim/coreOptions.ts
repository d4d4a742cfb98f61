import type { Config } from '../core/config.js';
import type { SimConfig } from './simConfig.js';

/** The options of the core that all nodes of a run have in common. */
export function coreOptions(c: SimConfig): Omit<Config, 'id' | 'storage'> {
  return {
    electionTick: c.electionTick,
    heartbeatTick: c.heartbeatTick,
    preVote: c.preVote,
    checkQuorum: c.checkQuorum,
    readOnlyOption: c.readOnlyOption,
    leaseMarginTicks: c.leaseMarginTicks,
    asyncStorageWrites: c.asyncStorageWrites,
    stepDownOnRemoval: c.stepDownOnRemoval,
    disableProposalForwarding: c.disableProposalForwarding,
    disableConfChangeValidation: c.disableConfChangeValidation,
    maxSizePerMsg: c.maxSizePerMsg,
    maxCommittedSizePerReady: c.maxCommittedSizePerReady,
    maxUncommittedEntriesSize: c.maxUncommittedEntriesSize,
    maxInflightMsgs: c.maxInflightMsgs,
    maxInflightBytes: c.maxInflightBytes,
    maxEntriesPerReady: c.maxEntriesPerReady,
    loosenFollowerLogRevert: c.diskLoss.permission === 'always',
  };
}

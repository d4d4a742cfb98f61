import type { Directive } from '../support/datadriven.js';
import { ScriptError } from './commandArguments.js';
import { addNodes } from './commands/addNodes.js';
import { allowNextRevert } from './commands/allowNextRevert.js';
import { campaign } from './commands/campaign.js';
import { compact } from './commands/compact.js';
import { config } from './commands/config.js';
import { configure } from './commands/configure.js';
import { deliverMsgs } from './commands/deliverMsgs.js';
import { duplicateMsgs } from './commands/duplicateMsgs.js';
import { forgetLeader } from './commands/forgetLeader.js';
import { inFlight } from './commands/inFlight.js';
import { logLevel } from './commands/logLevel.js';
import { processAppendThread } from './commands/processAppendThread.js';
import { processApplyThread } from './commands/processApplyThread.js';
import { processReady } from './commands/processReady.js';
import { propose } from './commands/propose.js';
import { proposeConfChange } from './commands/proposeConfChange.js';
import { raftLog } from './commands/raftLog.js';
import { raftState } from './commands/raftState.js';
import { readIndex } from './commands/readIndex.js';
import { reportSnapshot } from './commands/reportSnapshot.js';
import { reportUnreachable } from './commands/reportUnreachable.js';
import { restart } from './commands/restart.js';
import { sendSnapshot } from './commands/sendSnapshot.js';
import { setRandomizedElectionTimeout } from './commands/setRandomizedElectionTimeout.js';
import { stabilize } from './commands/stabilize.js';
import { status } from './commands/status.js';
import { tickElection, tickHeartbeat } from './commands/tick.js';
import { transferLeadership } from './commands/transferLeadership.js';
import { wipe } from './commands/wipe.js';
import type { InteractionEnv } from './interactionEnv.js';

type Command = (env: InteractionEnv, directive: Directive) => void;

const commands: Readonly<Record<string, Command>> = {
  'add-nodes': addNodes,
  'allow-next-revert': allowNextRevert,
  campaign,
  compact,
  config,
  configure,
  'deliver-msgs': deliverMsgs,
  'duplicate-msgs': duplicateMsgs,
  'forget-leader': forgetLeader,
  'in-flight': inFlight,
  'log-level': logLevel,
  'process-append-thread': processAppendThread,
  'process-apply-thread': processApplyThread,
  'process-ready': processReady,
  propose,
  'propose-conf-change': proposeConfChange,
  'raft-log': raftLog,
  'raft-state': raftState,
  'read-index': readIndex,
  'report-snapshot': reportSnapshot,
  'report-unreachable': reportUnreachable,
  restart,
  'send-snapshot': sendSnapshot,
  'set-randomized-election-timeout': setRandomizedElectionTimeout,
  stabilize,
  status,
  'tick-election': tickElection,
  'tick-heartbeat': tickHeartbeat,
  'transfer-leadership': transferLeadership,
  wipe,
};

/**
 * Carries out one command of a script.
 *
 * @returns what it prints; `ok` for nothing.
 * @throws ScriptError for a command that makes no sense, and whatever a node throws.
 */
export function execute(env: InteractionEnv, directive: Directive): string {
  if (!Object.hasOwn(commands, directive.cmd)) throw new ScriptError(`there is no command "${directive.cmd}"`);
  commands[directive.cmd]!(env, directive);
  return env.output.take();
}

import { describeConfState, describeEntries, describeEntry, describeHardState, describeMessage } from '../core/describe.js';
import { stateTypeName } from '../core/types.js';
import { OpOutcome, type ClientOp } from './clientOp.js';
import { shown } from './configRange.js';
import { operationOf } from './machineHost.js';
import { SimEventKind, SimPhase, type SimEvent } from './simEvent.js';

/** One line for people: virtual time in ticks, node, and what happened. */
export function describeEvent(event: SimEvent): string {
  const time = (event.time / 10_000).toFixed(2).padStart(9);
  const node = event.node === 0 ? '' : `n${event.node}`;
  return `${time} ${node.padEnd(4)} ${kindNames[event.kind]!.padEnd(10)} ${detail(event)}`.trimEnd();
}

const kindNames: readonly string[] = Object.entries(SimEventKind)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name.charAt(0).toLowerCase() + name.slice(1));

const format = (data: Uint8Array): string => (data.length < 6 ? '' : `op${operationOf(data)}+${data.length}`);

function detail(event: SimEvent): string {
  switch (event.kind) {
    case SimEventKind.Started:
      return `incarnation ${event.incarnation}, ${describeHardState(event.hardState)}, log up to ${event.lastTerm}/${event.lastIndex}, applied ${event.applied}`;
    case SimEventKind.Stopped:
      return event.dataLoss === true ? 'killed, and its disk replaced' : event.powerLoss ? 'power loss' : 'killed';
    case SimEventKind.Ready: {
      const { hardState, entries, snapshot, committedEntries, messages, mustSync } = event.ready;
      const parts = [hardState === null ? '' : describeHardState(hardState), mustSync ? 'sync' : ''];
      if (snapshot !== null) parts.push(`snapshot ${snapshot.metadata.term}/${snapshot.metadata.index}`);
      if (entries.length > 0) parts.push(`append ${describeEntries(entries, format).trim().split('\n').join(', ')}`);
      if (committedEntries.length > 0) parts.push(`apply ${committedEntries[0]!.index} to ${committedEntries[committedEntries.length - 1]!.index}`);
      if (messages.length > 0) parts.push(`${messages.length} messages`);
      return parts.filter((part) => part !== '').join(', ');
    }
    case SimEventKind.Written: {
      const { hardState, entries, snapshot } = event;
      const range = entries.length === 0 ? '' : `entries ${entries[0]!.index} to ${entries[entries.length - 1]!.index}`;
      return [hardState === null ? '' : describeHardState(hardState), range, snapshot === null ? '' : `snapshot ${snapshot.metadata.index}`].filter((part) => part !== '').join(', ');
    }
    case SimEventKind.Send:
    case SimEventKind.Deliver:
      return describeMessage(event.message, format).trim();
    case SimEventKind.Stepped:
      return `${event.result}`;
    case SimEventKind.Role:
      return `${stateTypeName(event.state)} in term ${event.term}, lead ${event.lead}`;
    case SimEventKind.LeaderCommit:
      return `${event.commit} in term ${event.term}`;
    case SimEventKind.Commit:
      return `${event.from} to ${event.to}`;
    case SimEventKind.Applied:
      return describeEntry(event.entry, format);
    case SimEventKind.ConfigApplied:
      return event.confState === null ? `${event.entry.index} has no effect` : describeConfState(event.confState);
    case SimEventKind.SnapshotInstalled:
    case SimEventKind.SnapshotCreated:
      return `${event.snapshot.metadata.term}/${event.snapshot.metadata.index} ${describeConfState(event.snapshot.metadata.confState)}`;
    case SimEventKind.Compacted:
      return `to ${event.index}`;
    case SimEventKind.Truncated:
      return `${event.index} to ${event.last}`;
    case SimEventKind.Proposed:
      return `${event.confChange ? 'configuration change' : format(event.data)} at ${event.term}/${event.index}`;
    case SimEventKind.OpInvoked:
    case SimEventKind.OpReturned:
    case SimEventKind.ReadRequested:
      return describeOp(event.op);
    case SimEventKind.ReadState:
      return `op${event.op?.id} at ${event.index}`;
    case SimEventKind.Fault:
      return event.detail;
    case SimEventKind.Phase:
      return Object.keys(SimPhase)[event.phase]!;
    case SimEventKind.LogWentBack:
      return `node ${event.member}, which had acknowledged ${event.match}: ${event.permitted ? 'permitted' : 'quarantined'}`;
    case SimEventKind.LossNoted:
      return `up to ${event.lostUpTo}`;
    case SimEventKind.Permitted:
      return `node ${event.member}: ${event.allow}`;
    default:
      return '';
  }
}

const outcomes = Object.keys(OpOutcome).map((name) => name.toLowerCase());

function describeOp(op: ClientOp): string {
  return `op${op.id} of client ${op.client}, ${op.write ? 'write' : 'read'} ${inWords(op.command)}: ${outcomes[op.outcome]}${op.outcome === OpOutcome.Ok ? ` ${inWords(op.answer)} at ${op.index}` : ''}`;
}

/** A command or an answer, which may be anything that a user's workload has made. */
function inWords(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? shown(value);
  } catch {
    return shown(value);
  }
}

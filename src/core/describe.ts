import { quoteBytes } from './quoteBytes.js';
import {
  asV2,
  confChangesToString,
  ConfChangeTransition,
  ConfChangeType,
  type ConfChange,
  type ConfChangeV2,
} from './raftpb/confChange.js';
import { tryDecodeConfChange } from './raftpb/confChangeWire.js';
import { EntryType, entryTypeName, type Entry } from './raftpb/entry.js';
import type { Message } from './raftpb/message.js';
import { messageTypeName } from './raftpb/messageType.js';
import { isEmptySnapshot, type ConfState, type HardState, type Snapshot } from './raftpb/state.js';
import type { Ready, SoftState } from './ready.js';
import { progressStateName, type Progress } from './tracker/progress.js';
import type { ProgressTracker } from './tracker/progressTracker.js';
import { LocalAppendThread, LocalApplyThread, None, stateTypeName, type NodeId } from './types.js';

/** Turns the data of an entry of the application into text. The default is {@link quoteBytes}. */
export type EntryFormatter = (data: Uint8Array) => string;

/**
 * A message as text, such as `1->2 MsgApp Term:1 Log:1/3 Commit:3 Entries:[1/4 EntryNormal "foo"]`.
 * Node ids are in hex, several entries stand on a line each, the context is left out.
 *
 * @param formatEntry shows the data of entries; without it they are quoted.
 */
export function describeMessage(m: Message, formatEntry: EntryFormatter = quoteBytes): string {
  return describeIndented('', m, formatEntry);
}

function describeIndented(indent: string, m: Message, formatEntry: EntryFormatter): string {
  let text = `${indent}${describeTarget(m.from)}->${describeTarget(m.to)} ${messageTypeName(m.type)} Term:${m.term} Log:${m.logTerm}/${m.index}`;
  if (m.reject) text += ` Rejected (Hint: ${m.rejectHint})`;
  if (m.commit !== 0) text += ` Commit:${m.commit}`;
  if (m.vote !== None) text += ` Vote:${m.vote}`;
  if (m.entries.length === 1) {
    text += ` Entries:[${describeEntry(m.entries[0]!, formatEntry)}]`;
  } else if (m.entries.length > 1) {
    text += ' Entries:[';
    for (const entry of m.entries) text += `\n${indent}  ${describeEntry(entry, formatEntry)}`;
    text += `\n${indent}]`;
  }
  if (m.snapshot !== null && !isEmptySnapshot(m.snapshot)) {
    text += `\n${indent}  Snapshot: ${describeSnapshot(m.snapshot)}`;
  }
  if (m.responses.length > 0) {
    text += ' Responses:[';
    for (const response of m.responses) text += `\n${describeIndented(`${indent}  `, response, formatEntry)}`;
    text += `\n${indent}]`;
  }
  return text;
}

/** Where a message comes from or goes to: a node id in hex, `None`, `AppendThread` or `ApplyThread`. */
export function describeTarget(id: NodeId): string {
  if (id === None) return 'None';
  if (id === LocalAppendThread) return 'AppendThread';
  if (id === LocalApplyThread) return 'ApplyThread';
  return id.toString(16);
}

/**
 * An entry as `term/index type data`, such as `1/4 EntryNormal "foo"`. A configuration change shows
 * as `v1 l2 r3 u4` ({@link confChangesToString}); bytes that are none are said to be so.
 *
 * @param formatEntry shows the data of a normal entry; without it the data is quoted.
 */
export function describeEntry(entry: Entry, formatEntry: EntryFormatter = quoteBytes): string {
  const data = describeEntryData(entry, formatEntry);
  const head = `${entry.term}/${entry.index} ${entryTypeName(entry.type)}`;
  return data === '' ? head : `${head} ${data}`;
}

function describeEntryData(entry: Entry, formatEntry: EntryFormatter): string {
  switch (entry.type) {
    case EntryType.EntryNormal:
      return formatEntry(entry.data);
    case EntryType.EntryConfChange:
    case EntryType.EntryConfChangeV2: {
      const change = tryDecodeConfChange(entry);
      // The words of etcd's protobuf library, so that descriptions compare equal.
      return change === null ? 'proto: cannot parse invalid wire-format data' : confChangesToString(change.changes);
    }
    default:
      return '';
  }
}

/** Entries, each as {@link describeEntry} and followed by a line feed; without entries the empty text. */
export function describeEntries(entries: readonly Entry[], formatEntry: EntryFormatter = quoteBytes): string {
  let text = '';
  for (const entry of entries) text += `${describeEntry(entry, formatEntry)}\n`;
  return text;
}

/** A hard state, such as `Term:1 Vote:1 Commit:4`; without a vote that part is missing. */
export function describeHardState(state: HardState): string {
  const vote = state.vote === None ? '' : ` Vote:${state.vote}`;
  return `Term:${state.term}${vote} Commit:${state.commit}`;
}

/** Leader and role, such as `Lead:1 State:StateFollower`. */
export function describeSoftState(state: SoftState): string {
  return `Lead:${state.lead} State:${stateTypeName(state.state)}`;
}

/** A membership, such as `Voters:[1 2] VotersOutgoing:[] Learners:[3] LearnersNext:[] AutoLeave:false`. */
export function describeConfState(state: ConfState): string {
  return (
    `Voters:${bracketed(state.voters)} VotersOutgoing:${bracketed(state.votersOutgoing)}` +
    ` Learners:${bracketed(state.learners)} LearnersNext:${bracketed(state.learnersNext)} AutoLeave:${state.autoLeave}`
  );
}

function bracketed(ids: readonly NodeId[]): string {
  return `[${ids.join(' ')}]`;
}

/** Position and membership of a snapshot, without its data. */
export function describeSnapshot(snapshot: Snapshot): string {
  const metadata = snapshot.metadata;
  return `Index:${metadata.index} Term:${metadata.term} ConfState:${describeConfState(metadata.confState)}`;
}

/** A configuration change in words, such as `transition:JointImplicit changes:{ConfChangeAddNode 4} context:"x"`. */
export function describeConfChange(change: ConfChange | ConfChangeV2): string {
  const v2 = asV2(change);
  let text = `transition:${nameOf(ConfChangeTransition, v2.transition)}`;
  for (const single of v2.changes) text += ` changes:{${nameOf(ConfChangeType, single.type)} ${single.nodeId}}`;
  if (v2.context.length > 0) text += ` context:${quoteBytes(v2.context)}`;
  return text;
}

/** Key of a number in a table of names; a number that is not there stays a number. */
function nameOf(table: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(table).find((name) => table[name] === value) ?? String(value);
}

/** Progress of one peer, such as `StateReplicate match=7 next=8 learner paused pendingSnap=5 inactive inflight=3[full]`. */
export function describeProgress(progress: Progress): string {
  const { state, match, next, pendingSnapshot, inflights } = progress;
  let text = `${progressStateName(state)} match=${match} next=${next}`;
  if (progress.isLearner) text += ' learner';
  if (progress.isPaused()) text += ' paused';
  if (pendingSnapshot > 0) text += ` pendingSnap=${pendingSnapshot}`;
  if (!progress.recentActive) text += ' inactive';
  if (progress.quarantined) text += ' quarantined';
  if (inflights.count > 0) text += ` inflight=${inflights.count}${inflights.full() ? '[full]' : ''}`;
  return text;
}

/** Progress of all peers of a tracker, one `id: progress` line each, in ascending order of ids. */
export function describeProgresses({ ids, progresses }: Pick<ProgressTracker, 'ids' | 'progresses'>): string {
  return ids.map((id, i) => `${id}: ${describeProgress(progresses[i]!)}\n`).join('');
}

/** What {@link describeReady} says of a Ready that has nothing to show. */
export const emptyReadyText = '<empty Ready>';

/**
 * A Ready as the text of the scripts: a head line, then the parts that are there, one line each item.
 * Without any of these parts it is `<empty Ready>`. Aborted reads do not show.
 *
 * @param formatEntry shows the data of entries; without it they are quoted.
 */
export function describeReady(ready: Ready, formatEntry: EntryFormatter = quoteBytes): string {
  let text = '';
  if (ready.softState !== null) text += `${describeSoftState(ready.softState)}\n`;
  if (ready.hardState !== null) text += `HardState ${describeHardState(ready.hardState)}\n`;
  if (ready.readStates.length > 0) text += `ReadStates ${describeReadStates(ready.readStates)}\n`;
  if (ready.entries.length > 0) text += `Entries:\n${describeEntries(ready.entries, formatEntry)}`;
  if (ready.snapshot !== null && !isEmptySnapshot(ready.snapshot)) {
    text += `Snapshot ${describeSnapshot(ready.snapshot)}\n`;
  }
  if (ready.committedEntries.length > 0) {
    text += `CommittedEntries:\n${describeEntries(ready.committedEntries, formatEntry)}`;
  }
  if (ready.messages.length > 0) {
    text += 'Messages:\n';
    for (const m of ready.messages) text += `${describeIndented('', m, formatEntry)}\n`;
  }
  return text === '' ? emptyReadyText : `Ready MustSync=${ready.mustSync}:\n${text}`;
}

/** Answered reads as `[{index [bytes of the context]} …]`, such as `[{5 [99 116 120]}]`. */
function describeReadStates(states: Ready['readStates']): string {
  return `[${states.map((state) => `{${state.index} [${state.requestContext.join(' ')}]}`).join(' ')}]`;
}

import type { Entry } from '../core/raftpb/entry.js';
import type { Message } from '../core/raftpb/message.js';
import type { Ready } from '../core/ready.js';
import { FaultKind } from './faultKind.js';
import { SimEventKind } from './simEvent.js';
import type { ReadyHandler } from './nodeStorage.js';
import type { SimNode } from './simNode.js';
import { newWrite, type SimStorage, type SimWrite } from './simStorage.js';

/** The steps between which a host may die. */
export type CrashPoint =
  | typeof FaultKind.CrashBeforeWrite
  | typeof FaultKind.CrashBeforeSync
  | typeof FaultKind.CrashBeforeSend
  | typeof FaultKind.CrashWhileSending
  | typeof FaultKind.CrashWhileApplying
  | typeof FaultKind.CrashBeforeAdvance;

const crashPoints: readonly CrashPoint[] = [
  FaultKind.CrashBeforeWrite,
  FaultKind.CrashBeforeSync,
  FaultKind.CrashBeforeSend,
  FaultKind.CrashWhileSending,
  FaultKind.CrashWhileApplying,
  FaultKind.CrashBeforeAdvance,
];

/** Where the handling of the next piece of work is interrupted by a crash, if at all. */
export function drawCrash(node: SimNode): CrashPoint | null {
  const { config, crashRandom, faultsOn } = node.host;
  if (!faultsOn || config.readyCrash === 0 || node.spared || node.host.quiet || !crashRandom.chance(config.readyCrash)) return null;
  return crashRandom.pick(crashPoints);
}

/** Crashes the node if `planned` is this point. Returns whether it did. */
export function crashHere(node: SimNode, planned: CrashPoint | null, point: CrashPoint): boolean {
  if (planned !== point) return false;
  const { host } = node;
  host.mark(point);
  node.crash(host.crashRandom.chance(host.config.powerLoss));
  host.crashed(node);
  return true;
}

/** Has a write carried out, and says so. */
export function write(node: SimNode, w: SimWrite, carryOut: (w: SimWrite) => void): void {
  const { host, storage } = node;
  const first = w.entries[0];
  const last = storage.lastIndex();
  if (w.snapshot === null && first !== undefined && first.index <= last) {
    host.mark(FaultKind.Truncation);
    host.emit({ kind: SimEventKind.Truncated, time: node.now, node: node.id, index: first.index, last });
  }
  carryOut(w);
  host.emit({ kind: SimEventKind.Written, time: node.now, node: node.id, entries: w.entries, hardState: w.hardState, snapshot: w.snapshot });
}

/** Brings everything written to the platter, and says so. */
export function sync(node: SimNode, storage: SimStorage): void {
  if (storage.pendingWrites === 0) return;
  storage.sync();
  node.host.emit({ kind: SimEventKind.Synced, time: node.now, node: node.id });
}

/** Sends messages to other nodes, or only the first ones if a crash comes between. Returns whether the node is still there. */
export function sendAll(node: SimNode, messages: readonly Message[], crash: CrashPoint | null): boolean {
  const { host } = node;
  const until = crash === FaultKind.CrashWhileSending && messages.length > 0 ? host.crashRandom.below(messages.length) : messages.length;
  for (let i = 0; i < until; i++) send(node, messages[i]!);
  return until === messages.length || !crashHere(node, crash, FaultKind.CrashWhileSending);
}

/** Sends one message to another node. */
export function send(node: SimNode, m: Message): void {
  node.host.emit({ kind: SimEventKind.Send, time: node.now, node: node.id, message: m });
  node.host.send(m);
}

/** Applies committed entries, or only the first ones if a crash comes between. Returns whether the node is still there. */
export function applyAll(node: SimNode, entries: readonly Entry[], crash: CrashPoint | null): boolean {
  if (entries.length === 0) return true;
  const { host } = node;
  const until = crash === FaultKind.CrashWhileApplying ? host.crashRandom.below(entries.length) : entries.length;
  for (let i = 0; i < until; i++) node.applyEntry(entries[i]!);
  if (until < entries.length && crashHere(node, crash, FaultKind.CrashWhileApplying)) return false;
  node.application.compactAsUsual();
  host.appliedTo(node);
  return true;
}

/** What a Ready asks to be written; null if it is nothing. */
function writeOf({ entries, hardState, snapshot }: Ready): SimWrite | null {
  return entries.length > 0 || hardState !== null || snapshot !== null ? newWrite({ entries, hardState, snapshot }) : null;
}

/** Writes for a {@link ReadyLoop}. */
export interface ReadyWriter {
  /**
   * Writes, and calls `written` once it may go on, at once or later; with `mustSync`, once the disk has it.
   *
   * @param w null if there is nothing to write.
   * @param crash where a crash comes between; after that nothing is called.
   */
  write(w: SimWrite | null, mustSync: boolean, crash: CrashPoint | null, written: () => void): void;
}

/** Writes to the model of a disk. */
export class SimWriter implements ReadyWriter {
  private readonly node: SimNode;
  private readonly storage: SimStorage;

  constructor(node: SimNode, storage: SimStorage) {
    this.node = node;
    this.storage = storage;
  }

  write(asked: SimWrite | null, mustSync: boolean, crash: CrashPoint | null, written: () => void): void {
    const { node, storage } = this;
    if (asked !== null) write(node, asked, (w) => storage.write(w));
    if (crashHere(node, crash, FaultKind.CrashBeforeSync)) return;
    if (!mustSync) return written();
    const finish = (): void => {
      sync(node, storage);
      written();
    };
    const latency = node.disk.syncLatency(asked !== null && asked.snapshot !== null);
    if (latency === 0) finish();
    else node.later(latency, finish);
  }
}

/** The plain loop: write, sync, send, apply, advance, one Ready after the other. */
export class ReadyLoop implements ReadyHandler {
  private readonly node: SimNode;
  private readonly writer: ReadyWriter;
  /** Whether a Ready is taken and not advanced. */
  waiting = false;

  constructor(node: SimNode, writer: ReadyWriter) {
    this.node = node;
    this.writer = writer;
  }

  pump(): void {
    const { node } = this;
    while (node.up && !this.waiting && node.rawNode!.hasReady()) this.handle(node.takeReady(this.waiting));
  }

  private handle(ready: Ready): void {
    const { node } = this;
    const crash = drawCrash(node);
    this.waiting = true;
    if (crashHere(node, crash, FaultKind.CrashBeforeWrite)) return;
    let atOnce = true;
    // A snapshot will be acknowledged like entries, so it is worth a sync as well.
    this.writer.write(writeOf(ready), ready.mustSync || ready.snapshot !== null, crash, () => {
      this.finish(ready, crash);
      if (atOnce) return;
      this.pump();
      node.drain();
    });
    atOnce = false;
  }

  /** What comes after the sync. */
  private finish(ready: Ready, crash: CrashPoint | null): void {
    const { node } = this;
    if (crashHere(node, crash, FaultKind.CrashBeforeSend)) return;
    if (!sendAll(node, ready.messages, crash)) return;
    if (ready.snapshot !== null) node.application.install(ready.snapshot);
    if (!applyAll(node, ready.committedEntries, crash)) return;
    if (crashHere(node, crash, FaultKind.CrashBeforeAdvance)) return;
    this.waiting = false;
    node.rawNode!.advance(ready);
    node.observe();
  }
}

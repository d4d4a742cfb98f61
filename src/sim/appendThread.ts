import type { Message } from '../core/raftpb/message.js';
import { answer } from './applyThread.js';
import { FaultKind } from './faultKind.js';
import { crashHere, drawCrash, sync, write, type CrashPoint } from './readyLoop.js';
import type { SimNode } from './simNode.js';
import { newWrite, type SimStorage, type SimWrite } from './simStorage.js';

/** Work of the append thread. */
export interface Append {
  /** A MsgStorageAppend. */
  readonly message: Message;
  readonly mustSync: boolean;
}

/** The thread of a host with asynchronous storage writes that writes. */
export interface AppendThread {
  /** Whether there is work. */
  readonly isBusy: boolean;
  /** Takes a piece of work. */
  add(append: Append): void;
  /** Begins what can be begun. */
  start(): void;
}

/** What a MsgStorageAppend asks for; null if it is nothing. */
export function writeOf({ term, vote, commit, entries, snapshot }: Message): SimWrite | null {
  const hardState = term !== 0 || vote !== 0 || commit !== 0 ? { term, vote, commit } : null;
  return entries.length > 0 || hardState !== null || snapshot !== null ? newWrite({ entries, hardState, snapshot }) : null;
}

/** Carries on after the write of some work: installs snapshots, and answers. Returns whether the node is still there. */
export function finishAppends(node: SimNode, batch: readonly Append[], crash: CrashPoint | null): boolean {
  if (crashHere(node, crash, FaultKind.CrashBeforeSend)) return false;
  const responses: Message[] = [];
  for (const { message } of batch) {
    if (message.snapshot !== null) {
      node.application.install(message.snapshot);
      node.host.appliedTo(node);
    }
    responses.push(...message.responses);
  }
  return answer(node, responses, crash);
}

/** Writes one batch after the other. */
export class SimAppendThread implements AppendThread {
  private readonly node: SimNode;
  private readonly storage: SimStorage;
  /** Lets the host go on when the thread has answered. */
  private readonly answered: () => void;
  private readonly appends: Append[] = [];
  private appending = false;

  constructor(node: SimNode, storage: SimStorage, answered: () => void) {
    this.node = node;
    this.storage = storage;
    this.answered = answered;
  }

  get isBusy(): boolean {
    return this.appending || this.appends.length > 0;
  }

  add(append: Append): void {
    this.appends.push(append);
  }

  start(): void {
    if (this.appending || this.appends.length === 0 || !this.node.up) return;
    this.appending = true;
    const { node, storage } = this;
    const crash = drawCrash(node);
    if (crashHere(node, crash, FaultKind.CrashBeforeWrite)) return;
    const batch = this.appends.splice(0, node.host.config.groupCommit);
    for (const { message } of batch) {
      const asked = writeOf(message);
      if (asked !== null) write(node, asked, (w) => storage.write(w));
    }
    if (crashHere(node, crash, FaultKind.CrashBeforeSync)) return;
    const mustSync = batch.some((append) => append.mustSync);
    const snapshot = batch.some(({ message }) => message.snapshot !== null);
    // Never at once: the thread answers after the call that gave it the work.
    node.later(mustSync ? node.disk.syncLatency(snapshot) : 0, () => {
      if (mustSync) sync(node, storage);
      if (!finishAppends(node, batch, crash)) return;
      this.appending = false;
      this.start();
      this.answered();
    });
  }
}

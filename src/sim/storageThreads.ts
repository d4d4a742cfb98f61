import type { Message } from '../core/raftpb/message.js';
import { LocalAppendThread, LocalApplyThread } from '../core/types.js';
import { FaultKind } from './faultKind.js';
import { applyAll, crashHere, drawCrash, send, sendAll, sync, write, type CrashPoint } from './readyLoop.js';
import type { ReadyHandler, SimNode } from './simNode.js';
import { newWrite } from './simStorage.js';

/** Work of the append thread. */
interface Append {
  readonly message: Message;
  readonly mustSync: boolean;
}

/**
 * A host with asynchronous storage writes: a Ready is handed out to a thread that writes and a thread that
 * applies, which answer when they are done. Both do their work in order.
 */
export class StorageThreads implements ReadyHandler {
  private readonly node: SimNode;
  private appends: Append[] = [];
  private applies: Message[] = [];
  private appending = false;
  private applying = false;
  /** The threads keep the host free. */
  readonly waiting = false;
  private pumping = false;
  /** Whether the host will look for a Ready by itself. */
  private planned = false;

  constructor(node: SimNode) {
    this.node = node;
  }

  pump(): void {
    const { host } = this.node;
    const { readyDelay } = host.config;
    if (readyDelay === 0 || !host.faultsOn) return this.handleAll();
    if (this.planned) return;
    this.planned = true;
    this.node.later(host.diskRandom.exponential(readyDelay), () => {
      this.planned = false;
      this.handleAll();
    });
  }

  private handleAll(): void {
    if (this.pumping) return;
    this.pumping = true;
    const { node } = this;
    while (node.up && node.rawNode!.hasReady()) {
      const ready = node.takeReady(this.appending || this.applying || this.appends.length > 0 || this.applies.length > 0);
      const peers: Message[] = [];
      for (const m of ready.messages) {
        if (m.to === LocalAppendThread) this.appends.push({ message: m, mustSync: ready.mustSync || ready.snapshot !== null });
        else if (m.to === LocalApplyThread) this.applies.push(m);
        else peers.push(m);
      }
      if (!sendAll(node, peers, drawCrash(node))) break;
      this.startAppend();
      this.startApply();
    }
    this.pumping = false;
  }

  private startAppend(): void {
    if (this.appending || this.appends.length === 0 || !this.node.up) return;
    this.appending = true;
    const { node } = this;
    const crash = drawCrash(node);
    if (crashHere(node, crash, FaultKind.CrashBeforeWrite)) return;
    const batch = this.appends.splice(0, node.host.config.groupCommit);
    let mustSync = false;
    for (const { message: m, mustSync: one } of batch) {
      if (one) mustSync = true;
      const hardState = m.term !== 0 || m.vote !== 0 || m.commit !== 0 ? { term: m.term, vote: m.vote, commit: m.commit } : null;
      if (m.entries.length > 0 || hardState !== null || m.snapshot !== null) write(node, newWrite({ entries: m.entries, hardState, snapshot: m.snapshot }));
    }
    if (crashHere(node, crash, FaultKind.CrashBeforeSync)) return;
    // Never at once: the thread answers after the call that gave it the work.
    const snapshot = batch.some(({ message }) => message.snapshot !== null);
    node.later(mustSync ? node.disk.syncLatency(snapshot) : 0, () => {
      if (mustSync) sync(node);
      this.finishAppend(batch, crash);
    });
  }

  private finishAppend(batch: readonly Append[], crash: CrashPoint | null): void {
    const { node } = this;
    if (crashHere(node, crash, FaultKind.CrashBeforeSend)) return;
    const responses: Message[] = [];
    for (const { message } of batch) {
      if (message.snapshot !== null) {
        node.application.install(message.snapshot);
        node.host.appliedTo(node);
      }
      responses.push(...message.responses);
    }
    const until = crash === FaultKind.CrashWhileSending && responses.length > 0 ? node.host.crashRandom.below(responses.length) : responses.length;
    for (let i = 0; i < until; i++) {
      const m = responses[i]!;
      if (m.to !== node.id) send(node, m);
      else {
        node.rawNode!.stepStorageResponse(m);
        node.observe();
      }
    }
    if (until < responses.length && crashHere(node, crash, FaultKind.CrashWhileSending)) return;
    this.appending = false;
    this.startAppend();
    this.pump();
    node.drain();
  }

  private startApply(): void {
    if (this.applying || this.applies.length === 0 || !this.node.up) return;
    this.applying = true;
    const { node } = this;
    const m = this.applies.shift()!;
    node.later(node.disk.applyLatency(), () => this.finishApply(m, drawCrash(node)));
  }

  private finishApply(m: Message, crash: CrashPoint | null): void {
    const { node } = this;
    // The core ignores changes of the configuration below a snapshot that it has handed out. A durable
    // machine that applied them would remember a configuration that never was; the snapshot brings all of it.
    const overtaken = node.host.config.durableMachine && node.application.pendingSnapshot >= m.entries[m.entries.length - 1]!.index;
    if (!overtaken && !applyAll(node, m.entries, crash)) return;
    if (crashHere(node, crash, FaultKind.CrashBeforeAdvance)) return;
    for (const response of m.responses) {
      node.rawNode!.stepStorageResponse(response);
      node.observe();
    }
    this.applying = false;
    this.startApply();
    this.pump();
    node.drain();
  }
}

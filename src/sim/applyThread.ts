import type { Message } from '../core/raftpb/message.js';
import { FaultKind } from './faultKind.js';
import { applyAll, crashHere, drawCrash, send, type CrashPoint } from './readyLoop.js';
import type { SimNode } from './simNode.js';

/** The thread of a host with asynchronous storage writes that applies what is committed, one piece of work after the other. */
export class ApplyThread {
  private readonly node: SimNode;
  /** Lets the host go on when the thread has answered. */
  private readonly answered: () => void;
  private readonly applies: Message[] = [];
  private applying = false;

  constructor(node: SimNode, answered: () => void) {
    this.node = node;
    this.answered = answered;
  }

  /** Whether there is work. */
  get isBusy(): boolean {
    return this.applying || this.applies.length > 0;
  }

  /** Takes a MsgStorageApply. */
  add(m: Message): void {
    this.applies.push(m);
  }

  /** Begins the next piece of work, if none is under way. */
  start(): void {
    if (this.applying || this.applies.length === 0 || !this.node.up) return;
    this.applying = true;
    const { node } = this;
    const m = this.applies.shift()!;
    node.later(node.disk.applyLatency(), () => this.finish(m, drawCrash(node)));
  }

  private finish(m: Message, crash: CrashPoint | null): void {
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
    this.start();
    this.answered();
  }
}

/** Delivers the answers of the append thread, or only the first ones if a crash comes between. Returns whether the node is still there. */
export function answer(node: SimNode, responses: readonly Message[], crash: CrashPoint | null): boolean {
  const until = crash === FaultKind.CrashWhileSending && responses.length > 0 ? node.host.crashRandom.below(responses.length) : responses.length;
  for (let i = 0; i < until; i++) {
    const m = responses[i]!;
    if (m.to !== node.id) send(node, m);
    else {
      node.rawNode!.stepStorageResponse(m);
      node.observe();
    }
  }
  return until === responses.length || !crashHere(node, crash, FaultKind.CrashWhileSending);
}

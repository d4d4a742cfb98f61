import type { Message } from '../core/raftpb/message.js';
import { LocalAppendThread, LocalApplyThread } from '../core/types.js';
import type { AppendThread } from './appendThread.js';
import { ApplyThread } from './applyThread.js';
import type { ReadyHandler } from './nodeStorage.js';
import { drawCrash, sendAll } from './readyLoop.js';
import type { SimNode } from './simNode.js';

/**
 * A host with asynchronous storage writes: a Ready is handed out to a thread that writes and a thread that
 * applies, which answer when they are done. Both do their work in order.
 */
export class StorageThreads implements ReadyHandler {
  private readonly node: SimNode;
  private readonly appendThread: AppendThread;
  private readonly applyThread: ApplyThread;
  /** The threads keep the host free. */
  readonly waiting = false;
  private pumping = false;
  /** Whether the host will look for a Ready by itself. */
  private planned = false;

  /** @param newAppendThread makes the thread that writes, which says when it has answered. */
  constructor(node: SimNode, newAppendThread: (answered: () => void) => AppendThread) {
    this.node = node;
    const answered = (): void => {
      this.pump();
      node.drain();
    };
    this.appendThread = newAppendThread(answered);
    this.applyThread = new ApplyThread(node, answered);
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
      const ready = node.takeReady(this.appendThread.isBusy || this.applyThread.isBusy);
      const peers: Message[] = [];
      for (const m of ready.messages) {
        if (m.to === LocalAppendThread) this.appendThread.add({ message: m, mustSync: ready.mustSync || ready.snapshot !== null });
        else if (m.to === LocalApplyThread) this.applyThread.add(m);
        else peers.push(m);
      }
      if (!sendAll(node, peers, drawCrash(node))) break;
      this.appendThread.start();
      this.applyThread.start();
    }
    this.pumping = false;
  }
}

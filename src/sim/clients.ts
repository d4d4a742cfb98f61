import type { AbortedRead, ReadState } from '../core/raft/raft.js';
import { StepResult } from '../core/raft/stepResult.js';
import type { Index, NodeId } from '../core/types.js';
import { OpOutcome, type ClientOp } from './clientOp.js';
import { FaultKind } from './faultKind.js';
import { readUint32 } from './kv.js';
import { envelope, readContext } from './machineHost.js';
import type { Prng } from './prng.js';
import type { Scheduler } from './scheduler.js';
import type { SimConfig } from './simConfig.js';
import { SimEventKind, type SimEvent } from './simEvent.js';
import type { SimNode } from './simNode.js';
import type { Workload } from './userMachine.js';

/** What the clients need of the run they are part of. */
export interface ClientHost {
  readonly config: SimConfig;
  readonly scheduler: Scheduler;
  readonly workloadRandom: Prng;
  readonly workload: Workload;
  readonly nodes: readonly SimNode[];
  emit(event: SimEvent): void;
  mark(kind: FaultKind): void;
}

/** A read that has its index and waits for the state machine. */
interface WaitingRead {
  readonly op: ClientOp;
  readonly index: Index;
}

/** The clients of a run: each does one operation after the other, and gives up when it takes too long. */
export class Clients {
  private readonly host: ClientHost;
  /** All operations so far; the one with number n at position n - 1. */
  readonly ops: ClientOp[] = [];
  /** Reads that wait, by position of their node. */
  private readonly waiting: WaitingRead[][] = [];
  /** No client starts anything before this virtual time. */
  quietUntil = 0;
  /** Until this virtual time nobody thinks. */
  burstUntil = 0;
  /** Whether clients start operations of their own. */
  running = true;

  constructor(host: ClientHost) {
    this.host = host;
  }

  /** Starts every client. */
  start(): void {
    for (let client = 0; client < this.host.config.clients; client++) this.think(client);
  }

  /** Starts one operation, which the caller has chosen the node and the direction of. Used in the liveness phase. */
  invokeAt(client: number, node: SimNode, write: boolean): ClientOp {
    return this.invoke(client, node, write);
  }

  private think(client: number): void {
    const { scheduler, workloadRandom, config } = this.host;
    const pause = workloadRandom.exponential(config.thinkTime);
    const now = scheduler.now;
    const at = now < this.burstUntil ? now + pause / 10 : Math.max(now + pause, this.quietUntil);
    scheduler.after(at - now, () => this.next(client));
  }

  private next(client: number): void {
    if (!this.running) return;
    const { nodes, workloadRandom, config } = this.host;
    const node = workloadRandom.pick(nodes);
    const read = workloadRandom.chance(config.readShare);
    if (!node.up || node.isBlocked) return this.think(client);
    const op = this.invoke(client, node, !read);
    if (op.outcome !== OpOutcome.Pending) return;
    this.host.scheduler.after(this.host.config.opTimeout, () => {
      if (op.outcome !== OpOutcome.Pending) return;
      this.host.mark(FaultKind.Timeout);
      this.finish(op, OpOutcome.Unknown);
    });
  }

  private invoke(client: number, node: SimNode, write: boolean): ClientOp {
    const { scheduler, config, workload, workloadRandom } = this.host;
    const id = this.ops.length + 1;
    const { request, command } = write ? workload.nextWrite(workloadRandom, id) : workload.nextRead(workloadRandom, id);
    const op: ClientOp = {
      id,
      client,
      node: node.id,
      write,
      request,
      command,
      invokedAt: scheduler.now,
      returnedAt: Infinity,
      outcome: OpOutcome.Pending,
      index: 0,
      answer: undefined,
    };
    this.ops.push(op);
    this.host.emit({ kind: SimEventKind.OpInvoked, time: scheduler.now, node: node.id, op });
    const result = write ? node.propose(envelope(op)) : node.readIndex(readContext(op), op);
    if (typeof result !== 'string' || result === StepResult.Ok) {
      if (write && request.length > config.maxSizePerMsg) this.host.mark(FaultKind.Oversize);
    } else {
      if (result === StepResult.OverLimit) this.host.mark(FaultKind.OverLimit);
      this.finish(op, OpOutcome.Failed);
    }
    return op;
  }

  private finish(op: ClientOp, outcome: OpOutcome): void {
    const { scheduler } = this.host;
    op.outcome = outcome;
    if (outcome !== OpOutcome.Unknown) op.returnedAt = scheduler.now;
    this.host.emit({ kind: SimEventKind.OpReturned, time: scheduler.now, node: op.node, op });
    if (this.running) this.think(op.client);
  }

  /** A command was carried out on a node. Its client hears of it if it talks to that node and still waits. */
  applied(node: NodeId, id: number, index: Index, answer: unknown): void {
    const op = this.ops[id - 1];
    if (op === undefined || op.node !== node || op.outcome !== OpOutcome.Pending) return;
    op.index = index;
    op.answer = answer;
    this.finish(op, OpOutcome.Ok);
  }

  /** The operation that a read context belongs to; null if there is none. */
  operationOf(context: Uint8Array): ClientOp | null {
    return context.length === 4 ? (this.ops[readUint32(context, 0) - 1] ?? null) : null;
  }

  /** A node got the index for a read. */
  readState(node: SimNode, read: ReadState): void {
    const op = this.operationOf(read.requestContext);
    this.host.emit({ kind: SimEventKind.ReadState, time: this.host.scheduler.now, node: node.id, requestContext: read.requestContext, index: read.index, op });
    if (op === null || op.node !== node.id || op.outcome !== OpOutcome.Pending) return;
    (this.waiting[node.position] ??= []).push({ op, index: read.index });
    this.serve(node);
  }

  /** A node aborted a read: the client may try again, as another operation. */
  readAborted(node: SimNode, read: AbortedRead): void {
    this.host.emit({ kind: SimEventKind.ReadAborted, time: this.host.scheduler.now, node: node.id, requestContext: read.requestContext });
    const op = this.operationOf(read.requestContext);
    if (op !== null && op.node === node.id && op.outcome === OpOutcome.Pending) this.finish(op, OpOutcome.Failed);
  }

  /** Serves the reads whose index a node has applied by now. */
  serve(node: SimNode): void {
    const waiting = this.waiting[node.position];
    if (waiting === undefined || waiting.length === 0) return;
    const left: WaitingRead[] = [];
    for (const read of waiting) {
      const { op, index } = read;
      if (op.outcome !== OpOutcome.Pending) continue;
      if (index > node.applied) {
        left.push(read);
        continue;
      }
      op.index = index;
      op.answer = node.application.machine.query(op.request);
      this.finish(op, OpOutcome.Ok);
    }
    this.waiting[node.position] = left;
  }

  /** The reads that wait on a node end with its process; their clients run into their timeouts. */
  stopped(node: SimNode): void {
    this.waiting[node.position] = [];
  }
}

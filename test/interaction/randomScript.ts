import type { RandomSource } from '../../src/core/random.js';
import { internalRaft } from '../../src/core/rawNode.js';
import { StateType } from '../../src/core/types.js';
import type { InteractionEnv } from './interactionEnv.js';
import type { ScriptNode } from './scriptNode.js';

/** A command of a script: its line and, below it, its input. */
export interface RandomCommand {
  readonly line: string;
  readonly input: string;
}

const maxNodes = 6;

const messageTypes = ['MsgApp', 'MsgAppResp', 'MsgVote', 'MsgVoteResp', 'MsgHeartbeat', 'MsgHeartbeatResp', 'MsgSnap', 'MsgTimeoutNow'];

/** Invents commands for a cluster, one after the other, each with a look at where the cluster stands. */
export class RandomScript {
  private readonly env: InteractionEnv;
  private readonly random: RandomSource;
  private readonly options: string;
  private count = 0;

  constructor(env: InteractionEnv, random: RandomSource) {
    this.env = env;
    this.random = random;
    this.options = this.inventOptions();
  }

  /** What brings a group into being. */
  first(): RandomCommand[] {
    const lines: string[] = [];
    const limits = ['max-size-per-msg=40', 'max-size-per-msg=100 max-inflight-bytes=1000', 'max-uncommitted-size=64', 'disable-proposal-forwarding=true'];
    if (this.chance(0.4)) lines.push(`configure ${this.pick(limits)}`);
    const size = 1 + this.random(4);
    const learners = size > 1 && this.chance(0.3) ? ` learners=(${size})` : '';
    const voters = Array.from({ length: learners === '' ? size : size - 1 }, (_, i) => i + 1);
    lines.push(`add-nodes ${size} voters=(${voters.join(',')})${learners} index=${2 + this.random(9)} ${this.options}`);
    lines.push('campaign 1', 'stabilize');
    return lines.map((line) => ({ line, input: '' }));
  }

  /** The next command. */
  next(): RandomCommand {
    this.count++;
    const kind = this.random(100);
    if (kind < 15) return this.conf(kind);
    return { line: this.line(kind), input: '' };
  }

  private line(kind: number): string {
    if (kind < 30) return `propose ${this.node()} p${this.count}${'x'.repeat(this.random(30))}`;
    if (kind < 37) return `process-ready ${this.node()}`;
    if (kind < 45) return `tick-heartbeat ${this.node()}`;
    if (kind < 49) return `tick-election ${this.node()}`;
    if (kind < 53) return `campaign ${this.node()}`;
    if (kind < 59) return `deliver-msgs ${this.node()}${this.type()}`;
    if (kind < 64) return `deliver-msgs drop=${this.node()}${this.type()}`;
    if (kind < 72) return `stabilize ${this.someNodes()}`;
    if (kind < 76) return `read-index ${this.node()} ctx${this.count}`;
    if (kind < 78) return `report-unreachable ${this.node()} ${this.node()}`;
    if (kind < 81) return `transfer-leadership from=${this.node()} to=${this.node()}`;
    if (kind < 83) return `forget-leader ${this.node()}`;
    if (kind < 85) return `report-snapshot ${this.node()} ${this.node()} status=${this.pick(['success', 'failure'])}`;
    if (kind < 88) return `process-append-thread ${this.node()}`;
    if (kind < 90) return `process-apply-thread ${this.node()}`;
    if (kind < 92) return `duplicate-msgs ${this.node()}`;
    if (kind < 94) return this.sendSnapshot();
    if (kind < 97) return this.compact();
    if (kind < 99 || this.env.nodes.length >= maxNodes) return `restart ${this.node()}`;
    return `add-nodes 1 ${this.options}`;
  }

  private conf(kind: number): RandomCommand {
    const v1 = kind < 5;
    const changes = Array.from({ length: v1 ? 1 : this.random(4) }, () => `${this.pick(['v', 'v', 'l', 'l', 'r', 'u'])}${this.anyNode()}`);
    const how = v1 ? 'v1=true' : `transition=${this.pick(['auto', 'implicit', 'explicit'])}`;
    return { line: `propose-conf-change ${this.node()} ${how}`, input: changes.join(' ') };
  }

  /** Only a leader sends snapshots. */
  private sendSnapshot(): string {
    const from = this.leader();
    const to = this.anyNode();
    return from === undefined || from.id === to ? 'raft-state' : `send-snapshot ${from.id} ${to}`;
  }

  /** Only what is applied may be dropped. */
  private compact(): string {
    const node = this.env.node(this.anyNode());
    const first = node.storage.firstIndex();
    const applied = internalRaft(node.rawNode).log.applied;
    return applied < first ? 'raft-state' : `compact ${node.id} ${first + this.random(applied - first + 1)}`;
  }

  private inventOptions(): string {
    const options: string[] = [];
    if (this.chance(0.4)) options.push('async-storage-writes=true');
    if (this.chance(0.5)) options.push('prevote=true');
    if (this.chance(0.6)) options.push(this.chance(0.5) ? 'checkquorum=true' : 'checkquorum=true read-only=lease-based');
    if (this.chance(0.3)) options.push(`inflight=${1 + this.random(3)}`);
    if (this.chance(0.3)) options.push(`max-committed-size-per-ready=${this.pick(['20', '50', '200'])}`);
    if (this.chance(0.5)) options.push('step-down-on-removal=true');
    return options.join(' ');
  }

  private type(): string {
    return this.chance(0.3) ? ` type=${this.pick(messageTypes)}` : '';
  }

  /** A node, more often than not the leader: most commands do something only there. */
  private node(): number {
    const leader = this.chance(0.4) ? this.leader() : undefined;
    return leader === undefined ? this.anyNode() : Number(leader.id);
  }

  private anyNode(): number {
    return 1 + this.random(this.env.nodes.length);
  }

  private leader(): ScriptNode | undefined {
    return this.env.nodes.find((node) => internalRaft(node.rawNode).state === StateType.Leader);
  }

  private someNodes(): string {
    if (this.chance(0.5)) return '';
    return this.env.nodes
      .filter(() => this.chance(0.6))
      .map((node) => node.id)
      .join(' ');
  }

  private chance(probability: number): boolean {
    return this.random(1000) < probability * 1000;
  }

  private pick(choices: readonly string[]): string {
    return choices[this.random(choices.length)]!;
  }
}

import { ConfChangeType, newConfChange, newConfChangeV2 } from '../../src/core/raftpb/confChange.js';
import { encodeConfChange } from '../../src/core/raftpb/confChangeWire.js';
import { newEntry, type Entry } from '../../src/core/raftpb/entry.js';
import { copyMessage, newMessage, type Message } from '../../src/core/raftpb/message.js';
import { MessageType } from '../../src/core/raftpb/messageType.js';
import { newConfState } from '../../src/core/raftpb/state.js';
import type { RandomSource } from '../../src/core/random.js';
import type { Raft } from '../../src/core/raft/raft.js';
import { LocalAppendThread, LocalApplyThread, maxTerm, StateType, type NodeId } from '../../src/core/types.js';
import { bytes } from './rawGroup.js';

/** Values that no field should have, of whatever type. */
const wrongValues: readonly unknown[] = [
  undefined, null, Number.NaN, -1, 0.5, Infinity, -Infinity, -0, 2 ** 53 - 1, 2 ** 53, 2 ** 64, '3', '', 'length', true, false, 7n, -1n,
  2n ** 64n, 2n ** 70n, {}, [], [undefined], [null], [0], new Array<unknown>(3), Symbol('x'), () => 1, new Float64Array([0.5, 300]),
  new Int8Array([-1, -2]), new DataView(new ArrayBuffer(4)), new Uint8Array(0), new Date(0),
];

const fields = [
  'type', 'to', 'from', 'term', 'logTerm', 'index', 'entries', 'commit', 'snapshot', 'reject', 'rejectHint', 'context', 'vote', 'responses',
] as const satisfies readonly (keyof Message)[];

/** Makes messages that a broken or hostile peer could send. */
export class HostileSender {
  private readonly random: RandomSource;
  /** Ids that exist, and some that do not. */
  private readonly ids: readonly NodeId[];

  constructor(random: RandomSource, members: readonly NodeId[]) {
    this.random = random;
    this.ids = [...members, ...members, ...members, 99, 2 ** 53 - 1, 2n ** 53n, 2n ** 64n - 3n];
  }

  /** A message to `victim`: invented, or one of `honest` with some fields changed. */
  next(victim: Raft, honest: readonly Message[]): Message {
    const m = honest.length > 0 && this.chance(2) ? copyMessage(this.pick(honest)) : this.invented(victim);
    if (this.chance(2)) m.to = victim.id;
    for (let i = this.random(3); i > 0; i--) this.mutate(m, victim);
    if (this.chance(8)) this.spoil(m, this.pick(fields), this.wrong());
    if (this.chance(40)) Reflect.deleteProperty(m, this.pick(fields));
    return m;
  }

  private invented(victim: Raft): Message {
    const m = newMessage(this.pick(Object.values(MessageType)), victim.id);
    m.from = this.pick(this.ids);
    m.term = this.chance(2) ? victim.term : this.count(victim.term);
    m.logTerm = this.chance(2) ? victim.term : this.count(victim.term);
    m.index = this.count(victim.log.lastIndex());
    m.commit = this.count(victim.log.committed);
    m.rejectHint = this.count(victim.log.lastIndex());
    m.reject = this.chance(2);
    m.vote = this.pick(this.ids);
    m.context = this.context();
    m.entries = this.entries(m);
    if (victim.state === StateType.Leader && this.chance(5)) this.contradict(m, victim);
    if (m.type === MessageType.MsgSnap || this.chance(20)) m.snapshot = this.snapshot(victim);
    return m;
  }

  /** A rejection of what the sender has acknowledged, or an answer to the question that the leader asks then. */
  private contradict(m: Message, victim: Raft): void {
    const at = this.random(victim.tracker.ids.length);
    const { match, reversion } = victim.tracker.progresses[at]!;
    const question = reversion?.question ?? 0;
    m.type = MessageType.MsgAppResp;
    m.from = victim.tracker.ids[at]!;
    m.term = victim.term;
    m.reject = !this.chance(4);
    m.index = question > 0 && this.chance(2) ? question : this.random(match + 1);
    m.rejectHint = this.random(victim.log.lastIndex() + 2);
  }

  private mutate(m: Message, victim: Raft): void {
    const field = this.pick(fields);
    switch (field) {
      case 'type':
        m.type = this.pick(Object.values(MessageType));
        return;
      case 'to':
      case 'from':
      case 'vote':
        m[field] = this.pick([...this.ids, 0, LocalAppendThread, LocalApplyThread, 5n]);
        return;
      case 'term':
        m.term = this.count(victim.term);
        return;
      case 'logTerm':
        m.logTerm = this.count(victim.term);
        return;
      case 'index':
      case 'commit':
      case 'rejectHint':
        m[field] = this.count(victim.log.lastIndex());
        return;
      case 'entries':
        m.entries = this.entries(m);
        return;
      case 'snapshot':
        m.snapshot = this.chance(4) ? null : this.snapshot(victim);
        return;
      case 'reject':
        m.reject = !m.reject;
        return;
      case 'context':
        m.context = this.context();
        return;
      case 'responses':
        m.responses = [newMessage(MessageType.MsgHup, victim.id)];
    }
  }

  private entries(m: Message): readonly Entry[] {
    const count = this.pick([0, 1, 1, 1, 2, 3, 5]);
    const entries: Entry[] = [];
    let term = this.chance(2) ? m.logTerm : m.term;
    for (let i = 0; i < count; i++) {
      if (this.chance(4)) term++;
      const index = this.chance(10) ? this.count(m.index) : m.index + 1 + i;
      const entry = this.entry(this.chance(3) ? m.term : term, index);
      if (this.chance(30)) this.spoil(entry, this.pick(['term', 'index', 'type', 'data'] as const), this.wrong());
      entries.push(entry);
    }
    return entries;
  }

  private entry(term: number, index: number): Entry {
    if (!this.chance(4)) return newEntry(0, bytes(`hostile ${this.random(100)}`), term, index);
    const type = this.pick([ConfChangeType.ConfChangeAddNode, ConfChangeType.ConfChangeRemoveNode, ConfChangeType.ConfChangeAddLearnerNode]);
    const nodeId = this.pick(this.ids);
    if (this.chance(3)) return newEntry(1, encodeConfChange(newConfChange({ type, nodeId })), term, index);
    if (this.chance(4)) return newEntry(2, bytes('no protobuf at all'), term, index);
    const changes = this.chance(4) ? [] : [{ type, nodeId }, { type: ConfChangeType.ConfChangeAddNode, nodeId: this.pick(this.ids) }];
    return newEntry(2, encodeConfChange(newConfChangeV2({ transition: this.pick([0, 1, 2] as const), changes })), term, index);
  }

  private snapshot(victim: Raft): Message['snapshot'] {
    const ids = (least: number): NodeId[] => Array.from({ length: least + this.random(3) }, () => this.pick(this.ids));
    const confState = this.chance(2)
      ? victim.tracker.confState()
      : newConfState({
          voters: ids(1),
          learners: this.chance(3) ? ids(0) : [],
          votersOutgoing: this.chance(3) ? ids(0) : [],
          learnersNext: this.chance(4) ? ids(0) : [],
          autoLeave: this.chance(3),
        });
    const metadata = { index: this.count(victim.log.lastIndex()), term: this.count(victim.term), confState: { ...confState } };
    const snapshot = { data: bytes('hostile'), metadata };
    if (this.chance(10)) this.spoil(metadata.confState, this.pick(['voters', 'learners', 'votersOutgoing', 'learnersNext', 'autoLeave']), this.wrong());
    if (this.chance(20)) this.spoil(metadata, this.pick(['index', 'term', 'confState']), this.wrong());
    if (this.chance(20)) this.spoil(snapshot, this.pick(['data', 'metadata']), this.wrong());
    return snapshot;
  }

  private context(): Uint8Array {
    if (this.chance(3)) return new Uint8Array(0);
    if (this.chance(4)) return bytes('CampaignTransfer');
    return Uint8Array.from({ length: this.pick([1, 7, 8, 9, 15, 16, 17, 300]) }, () => (this.chance(2) ? 0 : this.random(256)));
  }

  /** A number near `around`, or at an edge. */
  private count(around: number): number {
    switch (this.random(8)) {
      case 0:
        return 0;
      case 1:
        return this.pick([1, 2, around + 2 ** 32, around + 2 ** 32 + 1, maxTerm, maxTerm - 1, maxTerm + 1, 2 ** 31, 2 ** 32]);
      case 2:
        return this.random(around + 1);
      default:
        return Math.max(0, around + this.random(5) - 2);
    }
  }

  private wrong(): unknown {
    return this.pick(wrongValues);
  }

  private spoil(target: object, key: string, value: unknown): void {
    (target as Record<string, unknown>)[key] = value;
  }

  private chance(oneIn: number): boolean {
    return this.random(oneIn) === 0;
  }

  private pick<T>(values: readonly T[]): T {
    return values[this.random(values.length)]!;
  }
}

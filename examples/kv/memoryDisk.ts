import { MemoryStorage, type ConfState, type Entry, type Index, type NodeId, type Snapshot, type Term } from 'raftstep';
import type { LogWrite } from 'raftstep/wal';
import type { Disk, NodeLog } from './disk.js';

/** Logs in memory: they outlive a node that is killed, and not the program. */
export class MemoryDisk implements Disk {
  readonly description = 'nothing is kept when the program ends; it would be with --data DIR';
  readonly #storages = new Map<NodeId, MemoryStorage>();

  async open(id: NodeId): Promise<NodeLog> {
    const storage = this.#storages.get(id) ?? new MemoryStorage();
    this.#storages.set(id, storage);
    return new MemoryLog(storage);
  }

  async close(): Promise<void> {
    // Nobody else can see it.
  }
}

/** A MemoryStorage with the writing side of a log on a disk, so that a node need not know which one it has. Every write is done at once. */
class MemoryLog implements NodeLog {
  readonly #storage: MemoryStorage;

  constructor(storage: MemoryStorage) {
    this.#storage = storage;
  }

  async append({ entries, hardState, snapshot }: LogWrite): Promise<void> {
    if (snapshot) this.#storage.applySnapshot(snapshot);
    if (entries) this.#storage.append(entries);
    if (hardState) this.#storage.setHardState(hardState);
  }

  async createSnapshot(index: Index, confState: ConfState, data: Uint8Array): Promise<void> {
    this.#storage.createSnapshot(index, confState, data);
  }

  async compact(index: Index): Promise<void> {
    this.#storage.compact(index);
  }

  async loadSnapshot(): Promise<Snapshot> {
    return this.#storage.snapshot();
  }

  async close(): Promise<void> {
    // Nothing waits, and nothing is held.
  }

  initialState(): ReturnType<MemoryStorage['initialState']> {
    return this.#storage.initialState();
  }

  entries(lo: Index, hi: Index, maxBytes: number): readonly Entry[] {
    return this.#storage.entries(lo, hi, maxBytes);
  }

  term(index: Index): Term {
    return this.#storage.term(index);
  }

  firstIndex(): Index {
    return this.#storage.firstIndex();
  }

  lastIndex(): Index {
    return this.#storage.lastIndex();
  }

  snapshot(): Snapshot {
    return this.#storage.snapshot();
  }
}

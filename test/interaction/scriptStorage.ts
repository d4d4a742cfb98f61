import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { emptySnapshot, type HardState, type Snapshot } from '../../src/core/raftpb/state.js';

/** Storage of a scripted node: its snapshot is always what its state machine has reached. */
export class ScriptStorage extends MemoryStorage {
  /** State of the application now. */
  newest: Snapshot = emptySnapshot;

  /** What a leader sends: the newest state, and not the one that the log was last cut at. */
  override snapshot(): Snapshot {
    return this.newest;
  }

  /** The snapshot that the storage itself holds, which is what a restart begins with. */
  durableSnapshot(): Snapshot {
    return super.snapshot();
  }

  /** Takes over a snapshot: the log starts after it, and it is the newest state. */
  restoreFrom(snapshot: Snapshot): void {
    this.applySnapshot(snapshot);
    this.newest = snapshot;
  }

  /** The hard state that was last saved. */
  hardState(): HardState {
    return this.initialState().hardState;
  }
}

import { RaftError, RaftErrorCode } from '../../core/errors.js';
import { emptySnapshot, type ConfState, type Snapshot } from '../../core/raftpb/state.js';
import type { EntryId } from '../../core/types.js';
import { unlinkIfThere } from '../shared/fileIo.js';
import type { FileSystem } from '../shared/fileSystem.js';
import { isSnapshotName, pathIn } from './names.js';
import { openSnapshotFile, readSnapshotDataSync, verifySnapshotFile, writeSnapshotFile, type SnapshotFile } from './snapshotFile.js';

/** Data up to this size are read at once when they are asked for; more is read in the background. */
const readAtOnceBytes = 1 << 20;

/** The newest snapshot, in its file and as far as needed in memory. */
export class SnapshotStore {
  private readonly fs: FileSystem;
  private readonly dir: string;
  private readonly walId: Uint8Array;
  private readonly tag: string;
  private written = 0;
  /** Metadata of the newest snapshot, and its data while they are in memory. */
  private newest: Snapshot = emptySnapshot;
  private inMemory = true;
  private open: SnapshotFile | null = null;
  private loading: Promise<Snapshot> | null = null;
  /** Hears of errors, and turns them into what callers see. */
  report: (error: unknown) => never = (error) => {
    throw error;
  };

  /** @param tag of the owner of the directory. */
  constructor(fs: FileSystem, dir: string, walId: Uint8Array, tag: string) {
    this.fs = fs;
    this.dir = dir;
    this.walId = walId;
    this.tag = tag;
  }

  /** Membership as of the newest snapshot. */
  get confState(): ConfState {
    return this.newest.metadata.confState;
  }

  /** Takes over the snapshot that the log speaks of, and verifies its file. */
  async recover({ index, term }: EntryId): Promise<void> {
    const found = await openSnapshotFile(this.fs, this.dir, this.walId, index, term);
    try {
      await verifySnapshotFile(found);
    } catch (error) {
      await found.file.close();
      throw error;
    }
    this.open = found;
    this.newest = { ...emptySnapshot, metadata: found.metadata };
    this.inMemory = false;
  }

  /** Writes the file of a snapshot. Several may be written at once, also of the same position. */
  write(snapshot: Snapshot): Promise<void> {
    return writeSnapshotFile(this.fs, this.dir, this.walId, `${this.tag}-${++this.written}`, snapshot);
  }

  /** From now on this is the newest one. Its file may still be on its way: the data stay in memory. */
  adopt(snapshot: Snapshot): void {
    this.newest = snapshot;
    this.inMemory = true;
  }

  /**
   * The newest snapshot, if its data are in memory or small.
   *
   * @throws RaftError `ERR_RAFT_SNAPSHOT_TEMPORARILY_UNAVAILABLE` while they are read in the background.
   */
  get(): Snapshot {
    if (this.inMemory) return this.newest;
    const file = this.open!;
    if (file.dataBytes <= readAtOnceBytes) {
      try {
        return { data: readSnapshotDataSync(file), metadata: this.newest.metadata };
      } catch (error) {
        return this.report(error);
      }
    }
    void this.load().catch(() => undefined);
    throw new RaftError(RaftErrorCode.SnapshotTemporarilyUnavailable, `the snapshot at ${this.newest.metadata.index} is being read from the disk`);
  }

  /** The newest snapshot with its data, which stay in memory until there is a newer one. */
  load(): Promise<Snapshot> {
    if (this.inMemory) return Promise.resolve(this.newest);
    this.loading ??= this.read().finally(() => (this.loading = null));
    return this.loading;
  }

  private async read(): Promise<Snapshot> {
    const file = this.open!;
    const { metadata } = this.newest;
    const data = new Uint8Array(file.dataBytes);
    try {
      await verifySnapshotFile(file, data);
    } catch (error) {
      if (this.open === file) return this.report(error);
      // A newer one came meanwhile, and the file was closed.
      return this.inMemory ? this.newest : this.read();
    }
    const snapshot = { data, metadata };
    if (this.open === file && !this.inMemory) this.adopt(snapshot);
    return snapshot;
  }

  /**
   * Once a record of the log speaks of the newest snapshot: reads its file back and verifies it, and lets go of the
   * data if they can be read again. All older ones may be removed then.
   */
  async settle({ index, term }: EntryId): Promise<void> {
    const found = await openSnapshotFile(this.fs, this.dir, this.walId, index, term);
    const before = this.open;
    this.open = found;
    if (before !== null) await before.file.close();
    await verifySnapshotFile(found);
    if (this.newest.metadata.index === index) {
      this.newest = { ...emptySnapshot, metadata: found.metadata };
      this.inMemory = false;
    }
  }

  /** Removes the files that no record speaks of: those of older snapshots, and at the start also those of newer ones. */
  async removeOthers(keep: string, newerToo = false): Promise<void> {
    let removed = false;
    for (const name of await this.fs.readdir(this.dir)) {
      // A newer one may be on its way.
      if (!isSnapshotName(name) || name === keep || (name > keep && !newerToo)) continue;
      // One that was overtaken is removed by those who wrote it as well.
      await unlinkIfThere(this.fs, pathIn(this.dir, name));
      removed = true;
    }
    if (removed) await this.fs.syncDirectory(this.dir);
  }

  async close(): Promise<void> {
    await this.loading?.catch(() => undefined);
    if (this.open !== null) await this.open.file.close();
    this.open = null;
  }
}

import { writeThenSync } from '../../../src/node/shared/fileIo.js';
import type { File, FileAccess, FileSystem } from '../../../src/node/shared/fileSystem.js';

/**
 * A process that can be stopped before each of its operations, for as long as anybody likes: paused by the
 * system, or on a machine that was suspended. Operations that begin are done.
 */
export class PausingProcess implements FileSystem {
  /** Operations that wait to begin. */
  readonly waiting: (() => void)[] = [];
  private readonly inner: FileSystem;
  /** Whether it has just looked at who owns the directory, and goes on to remove something. */
  private hasLooked = false;

  constructor(inner: FileSystem) {
    this.inner = inner;
  }

  /** Lets one operation begin. Returns whether there was one. */
  step(): boolean {
    const next = this.waiting.shift();
    next?.();
    return next !== undefined;
  }

  async open(path: string, access: FileAccess): Promise<File> {
    await this.turn(path.endsWith('/LOCK'));
    return new PausingFile(this, await this.inner.open(path, access));
  }

  async create(path: string): Promise<File> {
    await this.turn();
    return new PausingFile(this, await this.inner.create(path));
  }

  async readdir(path: string): Promise<string[]> {
    await this.removal();
    return this.inner.readdir(path);
  }

  async mkdir(path: string): Promise<void> {
    await this.turn();
    return this.inner.mkdir(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.turn();
    return this.inner.rename(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    await this.turn();
    return this.inner.link(from, to);
  }

  async unlink(path: string): Promise<void> {
    await this.removal();
    return this.inner.unlink(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.turn();
    return this.inner.syncDirectory(path);
  }

  /** For the files: waits for its turn. */
  turn(looks = false): Promise<void> {
    this.hasLooked = looks;
    return new Promise((resolve) => void this.waiting.push(resolve));
  }

  /** For the files: what may follow a look at the owner without a pause: the one gap that no look can close. */
  removal(): Promise<void> {
    return this.hasLooked ? Promise.resolve() : this.turn();
  }
}

class PausingFile implements File {
  private readonly process: PausingProcess;
  private readonly inner: File;

  constructor(process: PausingProcess, inner: File) {
    this.process = process;
    this.inner = inner;
  }

  get path(): string {
    return this.inner.path;
  }

  async size(): Promise<number> {
    await this.process.turn();
    return this.inner.size();
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    if (this.path.endsWith('/LOCK')) await this.process.removal();
    else await this.process.turn();
    return this.inner.read(target, position);
  }

  readSync(target: Uint8Array, position: number): number {
    return this.inner.readSync(target, position);
  }

  async write(source: Uint8Array, position: number): Promise<number> {
    await this.process.turn();
    return this.inner.write(source, position);
  }

  writeThrough(source: Uint8Array, position: number): Promise<void> {
    return writeThenSync(this, source, position);
  }

  async datasync(): Promise<void> {
    await this.process.turn();
    return this.inner.datasync();
  }

  async close(): Promise<void> {
    await this.process.removal();
    return this.inner.close();
  }
}

import { panic } from '../errors.js';
import type { Index } from '../types.js';

/**
 * How far the log is committed, handed out for application, and applied; and how many bytes the
 * application has been given without saying that it is done.
 *
 * Invariant: applied <= applying <= committed.
 */
export class ApplyCursor {
  /** Highest index known to be durable on a quorum (Raft §5.3, Figure 2 "commitIndex"). Never falls. */
  committed: Index;
  /** Highest index handed out for application. */
  applying: Index;
  /** Highest index that the application has applied (Figure 2 "lastApplied"). Never falls. */
  applied: Index;
  /** Bytes handed out and not yet reported as applied. */
  bytes = 0;
  /** Whether nothing more is handed out until some of `bytes` is reported as applied. */
  paused = false;

  private readonly maxBytes: number;

  /**
   * @param index everything up to here is applied already, as a snapshot.
   * @param maxBytes soft limit of `bytes`: it may be exceeded by one entry. Infinity is no limit, 0 hands out nothing.
   */
  constructor(index: Index, maxBytes: number) {
    this.committed = index;
    this.applying = index;
    this.applied = index;
    this.maxBytes = maxBytes;
    this.paused = this.isFull();
  }

  /** How many bytes may be handed out now. */
  room(): number {
    return this.maxBytes - this.bytes;
  }

  /** Raises `committed`; a lower index changes nothing. Panics beyond `lastIndex`. */
  commitTo(index: Index, lastIndex: Index): void {
    if (index <= this.committed) return;
    if (index > lastIndex) panic(`commit of ${index} is beyond ${lastIndex}`);
    this.committed = index;
  }

  /** A snapshot up to `index` replaces the log, so everything up to there is committed. */
  restore(index: Index): void {
    if (index < this.committed) panic(`restore of a snapshot at ${index} would undo the commit of ${this.committed}`);
    this.committed = index;
  }

  /**
   * Entries up to `index`, of `size` bytes, were handed out for application.
   *
   * @param appliable highest index that could have been handed out had there been no limit.
   */
  acceptApplying(index: Index, size: number, appliable: Index): void {
    this.checkStep('applying', index, this.applying);
    this.applying = index;
    this.bytes += size;
    // Being cut short shows that the next entry does not fit, even if a few bytes are left.
    this.paused = this.isFull() || index < appliable;
  }

  /** The application has applied everything up to `index`, `size` bytes of what it was given. */
  appliedTo(index: Index, size: number): void {
    this.checkStep('applied', index, this.applied);
    this.applied = index;
    // A snapshot is applied without having been handed out as entries.
    if (this.applying < index) this.applying = index;
    this.bytes = this.bytes > size ? this.bytes - size : 0;
    this.paused = this.isFull();
  }

  private checkStep(what: string, index: Index, now: Index): void {
    if (index < now || index > this.committed) panic(`${what} up to ${index} is outside of [${now}, ${this.committed}]`);
  }

  /** With a limit of 0 this is always so: the host has switched applying off, as etcd's raft does with 0. */
  private isFull(): boolean {
    return this.bytes >= this.maxBytes;
  }
}

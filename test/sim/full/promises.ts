/**
 * Lets promises settle between two events of a run. They are settled by events alone, so their order is fixed: what
 * an event has set going is over before the next one.
 */
export class Promises {
  private touched = false;
  private due: (() => void)[] = [];

  /** Notes that something was done that promises may follow on. */
  touch(): void {
    this.touched = true;
  }

  /** Does something once all promises have settled, and outside of them: it may throw to end the run. */
  afterwards(run: () => void): void {
    this.due.push(run);
  }

  /** Whether there is anything to wait for. */
  get isPending(): boolean {
    return this.touched || this.due.length > 0;
  }

  /** Waits for everything that can happen without another event. @throws what {@link afterwards} throws. */
  async settle(): Promise<void> {
    while (this.isPending) {
      this.touched = false;
      await new Promise<void>((resolve) => void setImmediate(resolve));
      const { due } = this;
      this.due = [];
      for (const run of due) run();
    }
  }
}

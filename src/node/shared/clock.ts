/** Time that only goes forward. What needs a clock gets one, so that tests and the simulator can own time. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;

  /** Calls `run` once, `ms` milliseconds from now or a little later. Does not keep a process alive. Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

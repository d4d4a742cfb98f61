/** Time that only goes forward. What needs a clock gets one, so that tests and the simulator can own time. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;

  /** Calls `run` once, `ms` milliseconds from now or a little later. Does not keep a process alive. Returns what cancels it. */
  after(ms: number, run: () => void): () => void;

  /** Calls `run` once what is going on right now is done: in Node, after everything that this turn of the event loop brought. */
  soon(run: () => void): void;
}

/** The clock of the process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};

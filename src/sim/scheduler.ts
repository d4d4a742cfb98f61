const { floor } = Math;

/** Something to be done at a virtual time. */
interface Task {
  readonly time: number;
  /** Order of scheduling; decides between tasks of the same time. */
  readonly sequence: number;
  readonly run: () => void;
}

/**
 * Virtual time. Tasks run in the order of their times, those of the same time in the order in which they
 * were scheduled; time stands still while a task runs.
 */
export class Scheduler {
  /** Virtual time in microseconds. */
  now = 0;
  private sequence = 0;
  /** Binary heap, the next task first. */
  private readonly heap: Task[] = [];

  /** Tasks that wait. */
  get size(): number {
    return this.heap.length;
  }

  /** Runs `run` after `delay` microseconds of 0 or more. There is no way to cancel it: what is out of date must find out itself. */
  after(delay: number, run: () => void): void {
    this.sequence++;
    const task: Task = { time: this.now + floor(delay), sequence: this.sequence, run };
    const { heap } = this;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(task, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = task;
  }

  /** Runs the next task. Returns false if there is none. */
  step(): boolean {
    const { heap } = this;
    const next = heap[0];
    if (next === undefined) return false;
    const last = heap.pop()!;
    if (heap.length > 0) this.sink(last);
    this.now = next.time;
    next.run();
    return true;
  }

  private sink(task: Task): void {
    const { heap } = this;
    const length = heap.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, task)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = task;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}

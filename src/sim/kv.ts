/** Kinds of commands of the default workload. */
export const KvKind = { Get: 0, Put: 1, Cas: 2 } as const;
export type KvKind = (typeof KvKind)[keyof typeof KvKind];

/** A command of the default workload: a few registers that hold numbers. */
export interface KvCommand {
  readonly kind: KvKind;
  /** Register, from 0 on. */
  readonly key: number;
  /** Value to write; unique in the run and above 0. 0 for a get. */
  readonly value: number;
  /** Value that a cas expects; 0 stands for "never written". 0 for get and put. */
  readonly expected: number;
}

/**
 * Answer of the default state machine. To a get the value, 0 if the key was never written. To a put the
 * value that it replaced. To a cas the value that was there: it has written exactly if that is the expected one.
 */
export type KvAnswer = number;

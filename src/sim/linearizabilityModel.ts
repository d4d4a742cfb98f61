import { KvKind } from './kv.js';

/** Answer of an operation whose outcome nobody knows. */
export const unknownAnswer = -1;

/** Content of a register that was never written. */
export const neverWritten = 0;

/** One operation on one register, as its client saw it. */
export interface RegisterOp {
  readonly kind: KvKind;
  /** Value to write, above 0; 0 for a get. */
  readonly value: number;
  /** Value that a cas expects; 0 stands for "never written". */
  readonly expected: number;
  /** Value that was there before the operation: what a get has read, what a put or a cas found. Or {@link unknownAnswer}. */
  readonly answer: number;
  /** Time of the call. */
  readonly call: number;
  /** Time of the answer; Infinity if there was none: then the operation may take effect at any later time, or never. */
  readonly ret: number;
  /** Who called, for people. */
  readonly client: number;
}

/**
 * What a register holds after an operation that found `state`.
 *
 * @returns the new content, or -1 if the operation cannot have answered what it did.
 */
export function stepRegister(state: number, op: RegisterOp): number {
  if (op.answer !== unknownAnswer && op.answer !== state) return -1;
  switch (op.kind) {
    case KvKind.Get:
      return state;
    case KvKind.Put:
      return op.value;
    case KvKind.Cas:
      return state === op.expected ? op.value : state;
  }
}

/** Whether the operation has written for certain, at some time. */
export function hasWritten(op: RegisterOp): boolean {
  if (op.ret === Infinity) return false;
  return op.kind === KvKind.Put || (op.kind === KvKind.Cas && op.answer === op.expected);
}

/** Whether the operation may have written, as far as its client knows. */
export function mayHaveWritten(op: RegisterOp): boolean {
  return hasWritten(op) || (op.kind !== KvKind.Get && op.answer === unknownAnswer);
}

/** The operation in words, such as `client 2: cas 3 to 4, found 3 [120, 180]`. */
export function describeOp(op: RegisterOp): string {
  const found = op.answer === unknownAnswer ? '' : `, found ${op.answer}`;
  const what = op.kind === KvKind.Get ? `get${found}` : op.kind === KvKind.Put ? `put ${op.value}${found}` : `cas ${op.expected} to ${op.value}${found}`;
  return `client ${op.client}: ${what} [${op.call}, ${op.ret === Infinity ? 'no answer' : op.ret}]`;
}

import { stepRegister, type RegisterOp } from '../../src/sim/linearizabilityModel.js';

/**
 * Whether a history is linearizable, found in the most obvious way: by trying every order, and for every operation
 * without an answer also that it never happened. For up to nine operations.
 */
export function isLinearizable(ops: readonly RegisterOp[]): boolean {
  const left = new Set(ops);
  const extend = (state: number): boolean => {
    if ([...left].every(({ ret }) => ret === Infinity)) return true;
    for (const op of [...left]) {
      // Whoever has answered before this one was called must have its place before it.
      if ([...left].some((other) => other.ret < op.call)) continue;
      const after = stepRegister(state, op);
      if (after < 0) continue;
      left.delete(op);
      if (extend(after)) return true;
      left.add(op);
    }
    return false;
  };
  return extend(0);
}

import { OpOutcome, type ClientOp } from './clientOp.js';
import type { KvCommand } from './kv.js';
import { unknownAnswer, type RegisterOp } from './linearizabilityModel.js';

/**
 * What the clients of the default workload saw, by register. An operation that failed has not happened and is
 * left out; one without a known end may take effect at any time, and a read of that kind is left out too.
 *
 * @param withReads whether reads by ReadIndex count: leases beyond what clocks allow may answer stale ones.
 */
export function registerHistories(ops: readonly ClientOp[], withReads: boolean): Map<number, RegisterOp[]> {
  const histories = new Map<number, RegisterOp[]>();
  for (const op of ops) {
    if (op.outcome === OpOutcome.Failed) continue;
    const ended = op.outcome === OpOutcome.Ok;
    if (!op.write && (!ended || !withReads)) continue;
    const { kind, key, value, expected } = op.command as KvCommand;
    let history = histories.get(key);
    if (history === undefined) {
      history = [];
      histories.set(key, history);
    }
    history.push({
      kind,
      value,
      expected,
      answer: ended ? (op.answer as number) : unknownAnswer,
      call: op.invokedAt,
      ret: ended ? op.returnedAt : Infinity,
      client: op.client,
    });
  }
  return histories;
}

import { KvKind } from '../../src/sim/kv.js';
import { unknownAnswer, type RegisterOp } from '../../src/sim/linearizabilityModel.js';

/**
 * A history of one register as a picture: a line for each client, with time from left to right.
 *
 *     [w1   ]  [r1]      client 0 puts 1, and later gets 1
 *        [c1>2=1]        client 1 sets 1 to 2 if it is 1, and found 1
 *     [w3=2]  [w4?       a put that found 2; a put without an answer
 *
 * `[` is the time of the call and `]` that of the answer. A get of a register that was never written is `r0`.
 */
export function parsePicture(lines: readonly string[]): RegisterOp[] {
  const ops: RegisterOp[] = [];
  lines.forEach((line, client) => {
    for (const match of line.matchAll(/\[([^\]?]*)([\]?])/g)) {
      const call = match.index;
      const ret = match[2] === '?' ? Infinity : call + match[0].length - 1;
      ops.push({ ...parseCommand(match[1]!.trim()), call, ret, client });
    }
    if (line.replace(/\[[^\]?]*[\]?]/g, '').trim() !== '') throw new Error(`not a picture: ${line}`);
  });
  return ops;
}

function parseCommand(text: string): Pick<RegisterOp, 'kind' | 'value' | 'expected' | 'answer'> {
  const match = /^(?:r(\d+)?|w(\d+)(?:=(\d+))?|c(\d+)>(\d+)(?:=(\d+))?)$/.exec(text);
  if (match === null) throw new Error(`not an operation: ${text}`);
  const number = (group: number, otherwise: number): number => (match[group] === undefined ? otherwise : Number(match[group]));
  if (text.startsWith('r')) return { kind: KvKind.Get, value: 0, expected: 0, answer: number(1, unknownAnswer) };
  if (text.startsWith('w')) return { kind: KvKind.Put, value: number(2, 0), expected: 0, answer: number(3, unknownAnswer) };
  return { kind: KvKind.Cas, value: number(5, 0), expected: number(4, 0), answer: number(6, unknownAnswer) };
}

import { readFileSync } from 'node:fs';
import { decodeMessage, encodeMessage } from '../../src/codec/index.js';
import { describeMessage } from '../../src/core/describe.js';
import { isRaftError, RaftErrorCode } from '../../src/core/errors.js';
import { lineDiff } from '../support/lineDiff.js';
import type { Report } from './report.js';

/** Runs a file of messages in hex, `class`, bytes and expected text separated by tabs. A line counts as one. */
export function runCodecFile(path: string): Report {
  return runCodecText(readFileSync(path, 'utf8'), path);
}

/** Runs the text of such a file. */
export function runCodecText(text: string, filename: string): Report {
  const failures: string[] = [];
  let passed = 0;
  text.split('\n').forEach((line, i) => {
    if (line === '' || line.startsWith('#')) return;
    const [kind = '', hex = '', expected = ''] = line.split('\t');
    const failure = judge(kind, hex, unescape(expected));
    if (failure === null) passed++;
    else failures.push(`${filename}:${i + 1}: ${kind} ${hex}\n${failure}`);
  });
  return { passed, failures };
}

/** What is wrong, or null. */
function judge(kind: string, hex: string, expected: string): string | null {
  const bytes = fromHex(hex);
  if (bytes === null) return 'these are not bytes in hex';
  switch (kind) {
    case 'canonical':
      return differenceOfText(bytes, expected) ?? differenceOfBytes(bytes, hex);
    case 'explicit-zeros':
    case 'mutated':
      return differenceOfText(bytes, expected) ?? differenceAfterEncoding(bytes, expected);
    case 'malformed':
      return differenceOfRefusal(bytes, RaftErrorCode.Malformed);
    case 'out-of-range':
      return differenceOfRefusal(bytes, RaftErrorCode.OutOfRange);
    default:
      return `there is no class ${JSON.stringify(kind)}`;
  }
}

function differenceOfText(bytes: Uint8Array, expected: string): string | null {
  const actual = attempt(() => describeMessage(decodeMessage(bytes)));
  return actual === expected ? null : lineDiff(expected, actual);
}

function differenceOfBytes(bytes: Uint8Array, hex: string): string | null {
  const actual = attempt(() => toHex(encodeMessage(decodeMessage(bytes))));
  return actual === hex ? null : lineDiff(hex, actual);
}

/** Bytes that were not canonical change when they are encoded again; what they say must not. */
function differenceAfterEncoding(bytes: Uint8Array, expected: string): string | null {
  const actual = attempt(() => describeMessage(decodeMessage(encodeMessage(decodeMessage(bytes)))));
  return actual === expected ? null : `after encoding it again:\n${lineDiff(expected, actual)}`;
}

function differenceOfRefusal(bytes: Uint8Array, code: RaftErrorCode): string | null {
  try {
    return `accepted as ${describeMessage(decodeMessage(bytes))}, not refused with ${code}`;
  } catch (error) {
    if (isRaftError(error, code) && typeof (error as { offset?: unknown }).offset === 'number') return null;
    return `refused with ${String(error)}, not with ${code} and an offset`;
  }
}

function attempt(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_all, char: string) => (char === 'n' ? '\n' : char));
}

function fromHex(hex: string): Uint8Array | null {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/.test(hex)) return null;
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

import type { Write } from './request.js';

/** A line of input, understood. */
export type Command =
  | Write
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'kill'; readonly node: number | 'leader' }
  | { readonly kind: 'start'; readonly node: number }
  | { readonly kind: 'status' | 'help' | 'quit' };

/** Longest key and value, in UTF-16 units, as `length` counts. */
export const maxKeyLength = 1024;
export const maxValueLength = 65_536;

/** Longest line. Readers need not keep more than one unit beyond it. */
export const maxLineLength = maxKeyLength + maxValueLength + 64;

/** What can be typed. */
export const helpText = `put KEY VALUE   set a key; the value is the rest of the line
get KEY         read a key
del KEY         remove a key
status          what every node knows
kill N          kill node N; kill leader kills the one that leads
start N         start a node that is down
help            this list
quit            end, with a summary
Empty lines and lines that begin with # are skipped.`;

/** Reads a line: the command, null if there is none (an empty line, a comment), or a string that says what is wrong. */
export function parseCommand(line: string): Command | string | null {
  if (line.length > maxLineLength) return `the line has more than ${maxLineLength} characters`;
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return null;
  const [word, rest] = splitWord(text);
  switch (word) {
    case 'put':
      return parsePut(rest);
    case 'get':
    case 'del':
      return parseKey(word, rest);
    case 'kill':
      return rest === 'leader' ? { kind: 'kill', node: 'leader' } : parseNode(word, rest, 'kill takes the number of a node, or leader');
    case 'start':
      return parseNode(word, rest, 'start takes the number of a node');
    case 'status':
    case 'help':
    case 'quit':
      return rest === '' ? { kind: word } : `${word} takes no arguments`;
    default:
      return `unknown command ${JSON.stringify(shortened(word))}; help lists them`;
  }
}

function parsePut(rest: string): Command | string {
  const [key, value] = splitWord(rest);
  if (value === '') return 'put takes a key and a value';
  if (value.length > maxValueLength) return `the value has more than ${maxValueLength} characters`;
  return tooLongKey(key) ?? { kind: 'put', key, value };
}

function parseKey(kind: 'get' | 'del', rest: string): Command | string {
  const [key, more] = splitWord(rest);
  if (key === '' || more !== '') return `${kind} takes one key`;
  return tooLongKey(key) ?? { kind, key };
}

function parseNode(kind: 'kill' | 'start', rest: string, usage: string): Command | string {
  return /^\d{1,15}$/.test(rest) ? { kind, node: Number(rest) } : usage;
}

function tooLongKey(key: string): string | null {
  return key.length > maxKeyLength ? `the key has more than ${maxKeyLength} characters` : null;
}

/** The first word, and what follows after the space behind it. */
function splitWord(text: string): [word: string, rest: string] {
  const end = text.search(/\s/);
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end).trim()];
}

function shortened(word: string): string {
  return word.length > 20 ? `${word.slice(0, 20)}...` : word;
}

import { Readable } from 'node:stream';

import { describe, expect, test } from '@jest/globals';

import { maxKeyLength, maxLineLength, maxValueLength, parseCommand } from '../../../examples/kv/commands.js';
import { readLines } from '../../../examples/kv/lines.js';

describe('commands', () => {
  test.each([
    { line: 'put k v', command: { kind: 'put', key: 'k', value: 'v' }, why: 'the plain form' },
    { line: '\t put  k   a  b ', command: { kind: 'put', key: 'k', value: 'a  b' }, why: 'the value is the rest, space around it does not count' },
    { line: 'get k', command: { kind: 'get', key: 'k' }, why: 'one key' },
    { line: 'del k', command: { kind: 'del', key: 'k' }, why: 'one key' },
    { line: 'kill 2', command: { kind: 'kill', node: 2 }, why: 'a number' },
    { line: 'kill leader', command: { kind: 'kill', node: 'leader' }, why: 'whoever it is' },
    { line: 'start 2', command: { kind: 'start', node: 2 }, why: 'a number' },
    { line: 'status', command: { kind: 'status' }, why: 'no argument' },
    { line: 'help', command: { kind: 'help' }, why: 'no argument' },
    { line: 'quit', command: { kind: 'quit' }, why: 'no argument' },
    { line: '', command: null, why: 'nothing' },
    { line: '   ', command: null, why: 'nothing but space' },
    { line: ' # put k v', command: null, why: 'a comment' },
    { line: `put ${'k'.repeat(maxKeyLength)} v`, command: { kind: 'put', key: 'k'.repeat(maxKeyLength), value: 'v' }, why: 'the longest key' },
    { line: `put k ${'v'.repeat(maxValueLength)}`, command: { kind: 'put', key: 'k', value: 'v'.repeat(maxValueLength) }, why: 'the longest value' },
  ])('are understood: $why', ({ line, command }) => {
    expect(parseCommand(line)).toEqual(command);
  });

  test.each([
    { line: 'put', problem: 'put takes a key and a value' },
    { line: 'put k', problem: 'put takes a key and a value' },
    { line: 'get', problem: 'get takes one key' },
    { line: 'get a b', problem: 'get takes one key' },
    { line: 'del a b', problem: 'del takes one key' },
    { line: 'kill', problem: 'kill takes the number of a node, or leader' },
    { line: 'kill -1', problem: 'kill takes the number of a node, or leader' },
    { line: 'kill 1 2', problem: 'kill takes the number of a node, or leader' },
    { line: 'start leader', problem: 'start takes the number of a node' },
    { line: 'start 1.5', problem: 'start takes the number of a node' },
    { line: 'status 1', problem: 'status takes no arguments' },
    { line: 'PUT k v', problem: 'unknown command "PUT"; help lists them' },
    { line: 'a"b', problem: 'unknown command "a\\"b"; help lists them' },
    { line: '\x1b[31m', problem: 'unknown command "\\u001b[31m"; help lists them' },
    { line: 'x'.repeat(30), problem: `unknown command "${'x'.repeat(20)}..."; help lists them` },
    { line: `get ${'k'.repeat(maxKeyLength + 1)}`, problem: `the key has more than ${maxKeyLength} characters` },
    { line: `put k ${'v'.repeat(maxValueLength + 1)}`, problem: `the value has more than ${maxValueLength} characters` },
    { line: ' '.repeat(maxLineLength + 1), problem: `the line has more than ${maxLineLength} characters` },
  ])('that are wrong get a reason: $problem', ({ line, problem }) => {
    expect(parseCommand(line)).toBe(problem);
  });
});

describe('lines', () => {
  async function linesOf(pieces: readonly (string | Uint8Array)[], maxLength = 100): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of readLines(Readable.from(pieces.map((piece) => Buffer.from(piece))), maxLength)) lines.push(line);
    return lines;
  }
  const emoji = Buffer.from('😀');

  test.each([
    { pieces: [], lines: [], why: 'nothing' },
    { pieces: ['a\nb\n'], lines: ['a', 'b'], why: 'two lines' },
    { pieces: ['a\n\nb'], lines: ['a', '', 'b'], why: 'an empty line, and no end behind the last' },
    { pieces: ['a\r\nb\r'], lines: ['a', 'b'], why: 'ends of Windows' },
    { pieces: ['ab', 'c', '\nd', '\n'], lines: ['abc', 'd'], why: 'cut anywhere' },
    { pieces: [emoji.subarray(0, 2), emoji.subarray(2)], lines: ['😀'], why: 'cut inside a character' },
    { pieces: ['abcdef\ngh\n'], lines: ['abcd', 'gh'], why: 'too long: one more than allowed is kept' },
    { pieces: ['ab', 'cd', 'ef', 'gh\ni'], lines: ['abcd', 'i'], why: 'too long in pieces' },
  ])('$why', async ({ pieces, lines }) => {
    expect(await linesOf(pieces, 3)).toEqual(lines);
  });
});

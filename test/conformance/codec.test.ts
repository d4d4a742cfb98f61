import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { runCodecFile, runCodecText } from './codec.js';
import { filesOf } from './files.js';

const folder = '../shared/conformance/codec';

if (!existsSync(folder)) {
  test.skip(`no ${folder} here: the conformance messages of the codec are not run`, () => undefined);
} else {
  describe('messages have the bytes and the meaning that etcd raft gives them', () => {
    test.each(filesOf(folder, '.tsv'))('%s', (file) => {
      const { passed, failures } = runCodecFile(file);

      expect(failures.join('\n\n')).toBe('');
      expect(passed).toBeGreaterThan(0);
    });
  });
}

describe('runCodecText', () => {
  test('counts lines, and passes over comments and empty ones', () => {
    const text = '# one of each\n\ncanonical\t08031002\tNone->2 MsgApp Term:0 Log:0/0\nmalformed\t08\t\n';

    expect(runCodecText(text, 'file.tsv')).toEqual({ passed: 2, failures: [] });
  });

  test.each([
    { line: 'canonical\t08031002\tNone->3 MsgApp Term:0 Log:0/0', shows: '+ None->2 MsgApp', why: 'another text' },
    { line: 'canonical\t080310022000\tNone->2 MsgApp Term:0 Log:0/0', shows: '+ 08031002', why: 'not canonical' },
    { line: 'explicit-zeros\t0803\tNone->None MsgBeat Term:0 Log:0/0', shows: '+ None->None MsgApp', why: 'another text' },
    { line: 'mutated\t08\tx', shows: 'RaftError', why: 'refused' },
    { line: 'malformed\t0803\t', shows: 'accepted as None->None MsgApp', why: 'well-formed' },
    { line: 'out-of-range\t08\t', shows: 'ERR_RAFT_OUT_OF_RANGE', why: 'refused for another reason' },
    { line: 'canonical\t0g\tx', shows: 'not bytes in hex', why: 'no hex' },
    { line: 'strange\t\tx', shows: 'no class "strange"', why: 'no class' },
  ])('fails $line: $why', ({ line, shows }) => {
    const { passed, failures } = runCodecText(line, 'file.tsv');

    expect(passed).toBe(0);
    expect(failures).toEqual([expect.stringContaining(shows)]);
    expect(failures[0]).toMatch(/^file\.tsv:1: /);
  });
});

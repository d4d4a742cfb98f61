import { describe, expect, test } from '@jest/globals';
import { resolveConfig, type Config } from '../../src/core/config.js';
import { RaftErrorCode } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { defaultRandom } from '../../src/core/random.js';
import { MemoryStorage } from '../../src/core/storage/memoryStorage.js';
import { LocalAppendThread, LocalApplyThread, ReadOnlyOption } from '../../src/core/types.js';
import { errorOf } from '../support/errors.js';

const storage = new MemoryStorage();
const mebibyte = 1024 * 1024;

describe('section 6: the defaults are safe for newcomers', () => {
  test('all of them', () => {
    expect(resolveConfig({ id: 1, storage })).toEqual({
      id: 1,
      storage,
      electionTick: 10,
      heartbeatTick: 1,
      applied: 0,
      asyncStorageWrites: false,
      maxSizePerMsg: mebibyte,
      maxCommittedSizePerReady: mebibyte,
      maxEntriesPerReady: 16_384,
      maxUncommittedEntriesSize: 1024 * mebibyte,
      maxInflightMsgs: 256,
      maxInflightBytes: 16 * mebibyte,
      checkQuorum: true,
      preVote: true,
      readOnlyOption: ReadOnlyOption.Safe,
      leaseMarginTicks: 1,
      loosenFollowerLogRevert: false,
      strictReads: true,
      disableProposalForwarding: false,
      disableConfChangeValidation: false,
      stepDownOnRemoval: false,
      random: defaultRandom,
      logger: silentLogger,
      trace: null,
    });
  });

  test.each([
    { given: { maxSizePerMsg: 32 * mebibyte }, expected: { maxInflightBytes: 32 * mebibyte, maxCommittedSizePerReady: 32 * mebibyte }, why: 'the window holds at least one message' },
    { given: { maxSizePerMsg: 0 }, expected: { maxCommittedSizePerReady: 1 }, why: 'messages of one entry must not switch applying off' },
    { given: { electionTick: 25 }, expected: { leaseMarginTicks: 3 }, why: 'a tenth of the election timeout, rounded up' },
    { given: { maxSizePerMsg: Infinity }, expected: { maxInflightBytes: Infinity, maxCommittedSizePerReady: Infinity }, why: 'no limit at all' },
  ])('a default follows another option: $why', ({ given, expected }) => {
    expect(resolveConfig({ id: 1, storage, ...given })).toMatchObject(expected);
  });

  test('the default source of chance stays within its bound', () => {
    const drawn = new Set(Array.from({ length: 200 }, () => defaultRandom(3)));
    expect([...drawn].sort()).toEqual([0, 1, 2]);
  });
});

describe('S20: every rule of the configuration', () => {
  const rows: { option: keyof Config; values: unknown[] }[] = [
    { option: 'id', values: [0, -1, 1.5, Number.NaN, 5n, 2n ** 64n, '1', undefined, LocalAppendThread, LocalApplyThread] },
    { option: 'storage', values: [null, undefined, 'disk'] },
    { option: 'electionTick', values: [0, 1, -3, 2.5, Number.NaN, Infinity, '10'] },
    { option: 'heartbeatTick', values: [0, -1, 0.5, Number.NaN, 10, 11] },
    { option: 'applied', values: [-1, 0.5, Number.NaN, 2 ** 53] },
    { option: 'asyncStorageWrites', values: ['yes', 1] },
    { option: 'maxSizePerMsg', values: [-1, Number.NaN, '5', 32 * mebibyte] },
    { option: 'maxCommittedSizePerReady', values: [-1, Number.NaN] },
    { option: 'maxEntriesPerReady', values: [0, -1, Number.NaN] },
    { option: 'maxUncommittedEntriesSize', values: [0, -1, Number.NaN] },
    { option: 'maxInflightMsgs', values: [0, -1, 1.5, Number.NaN, -Infinity] },
    { option: 'maxInflightBytes', values: [0, Number.NaN, mebibyte - 1] },
    { option: 'checkQuorum', values: ['no', 0] },
    { option: 'preVote', values: ['no', 0] },
    { option: 'readOnlyOption', values: [2, -1, 'safe'] },
    { option: 'leaseMarginTicks', values: [-1, 0.5, Number.NaN] },
    { option: 'strictReads', values: [1] },
    { option: 'disableProposalForwarding', values: [1] },
    { option: 'disableConfChangeValidation', values: [1] },
    { option: 'stepDownOnRemoval', values: [1] },
    { option: 'loosenFollowerLogRevert', values: [1] },
    { option: 'random', values: [7, {}] },
    { option: 'logger', values: ['console', 3] },
    { option: 'trace', values: [{}, 'trace'] },
  ];
  const cases = rows.flatMap(({ option, values }) => values.map((value) => ({ option, value })));

  test.each(cases)('$option must not be $value', ({ option, value }) => {
    // 32 MiB per message contradicts the window, which is given.
    const config = { id: 1, storage, ...(option === 'maxSizePerMsg' ? { maxInflightBytes: mebibyte } : {}), [option]: value } as Config;

    const error = errorOf(() => resolveConfig(config));

    expect(error).toMatchObject({ code: RaftErrorCode.ConfigInvalid });
    expect((error as Error).message).toMatch(option === 'maxSizePerMsg' ? /maxSizePerMsg/ : new RegExp(option === 'heartbeatTick' ? 'Tick' : option));
  });

  test('lease-based reads need checkQuorum, without which a leader that is cut off never stops', () => {
    expect(errorOf(() => resolveConfig({ id: 1, storage, readOnlyOption: ReadOnlyOption.LeaseBased, checkQuorum: false }))).toMatchObject({
      code: RaftErrorCode.ConfigInvalid,
    });
    expect(resolveConfig({ id: 1, storage, readOnlyOption: ReadOnlyOption.LeaseBased }).checkQuorum).toBe(true);
  });

  test('no configuration at all', () => {
    expect(errorOf(() => resolveConfig(undefined as unknown as Config))).toMatchObject({ code: RaftErrorCode.ConfigInvalid });
    expect(errorOf(() => resolveConfig(null as unknown as Config))).toMatchObject({ code: RaftErrorCode.ConfigInvalid });
  });

  test('every option has a row here', () => {
    expect(new Set(rows.map(({ option }) => option))).toEqual(new Set(Object.keys(resolveConfig({ id: 1, storage }))));
  });
});

import { ConfChangeType, encodeConfChange, EntryType, newConfChangeV2, newConfState, newEntry, type Entry } from '../../../src/core/index.js';
import type { FileSystem } from '../../../src/node/shared/fileSystem.js';
import { WalStorage } from '../../../src/node/wal/walStorage.js';
import { testEnvironment } from './testEnvironment.js';

/** Where the log is. */
export const dir = '/wal';

/** Options of the log. */
export const options = { dir, nodeId: 1, clusterId: 0xffff_ffff_ffff_fff0n, segmentBytes: 4096 };

const text = new TextEncoder();

/** An entry whose data say what it is. */
export function entry(index: number, term: number, data = `entry ${index}`): Entry {
  return newEntry(EntryType.EntryNormal, text.encode(data), term, index);
}

/** Writes a log with a record of every kind in it, over two segments, and leaves it open. The same bytes each time. */
export async function writeEverything(fs: FileSystem): Promise<WalStorage> {
  const env = testEnvironment(fs);
  const confState = newConfState({ voters: [1, 2, 3] });
  const first = await WalStorage.bootstrap(options, env);
  await first.append({ metadata: text.encode('127.0.0.1:2380'), hardState: { term: 1, vote: 1, commit: 0 } });
  await first.append({ entries: [entry(1, 1)] });
  await first.append({
    snapshot: { data: text.encode('the state of the leader'), metadata: { index: 10, term: 1, confState } },
    entries: [entry(11, 1, ''), entry(12, 1, 'x'.repeat(60)), entry(13, 1, 'tab\tand "quote"')],
    hardState: { term: 1, vote: 1, commit: 10 },
  });
  await first.close();

  const log = await WalStorage.open(options, env);
  // Another leader: entry 13 is replaced, and one of the configuration follows.
  const change = newConfChangeV2({ changes: [{ type: ConfChangeType.ConfChangeAddNode, nodeId: 4 }] });
  const changed = newEntry(EntryType.EntryConfChangeV2, encodeConfChange(change), 2, 14);
  await log.append({ entries: [entry(13, 2), changed], hardState: { term: 2, vote: 3, commit: 12 } });
  await log.createSnapshot(12, null, text.encode('the state'));
  await log.compact(11);
  for (let index = 15; index <= 21; index++) await log.append({ entries: [entry(index, 2)], hardState: { term: 2, vote: 3, commit: index - 1 } });
  // What goes on behind the writes has come to its end.
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  return log;
}

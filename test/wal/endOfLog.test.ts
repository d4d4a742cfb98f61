import { describe, expect, test } from '@jest/globals';
import { WalErrorCode, WalStorage } from '../../src/node/wal/index.js';
import { encodeMark } from '../../src/node/wal/marks.js';
import { batchesOf, copyOfDisk, segmentsOf } from './support/corpusLogs.js';
import { nothing } from './support/crashChoices.js';
import { cutOut, deleteFile, flipBit, setByte } from './support/damage.js';
import { diskEnvironment, quiet, settled } from './support/diskEnvironment.js';
import { conf, entryAt, snapshotAt } from './support/faultDrive.js';
import { contentOf } from './support/logModel.js';
import { SimDisk } from './support/simDisk.js';

const options = { dir: '/wal', nodeId: 1, clusterId: 7, segmentBytes: 4096, cacheBytes: 0 } as const;
const corrupt = { code: WalErrorCode.Corrupt };

function open(disk: SimDisk): Promise<WalStorage> {
  return settled(WalStorage.open(options, diskEnvironment(disk.fs, 8)));
}

/** A log with metadata and so many entries, a sector each, that no mark names; the process was killed. */
async function killedLog(entries: number): Promise<SimDisk> {
  const disk = new SimDisk();
  const log = await settled(WalStorage.bootstrap(options, diskEnvironment(disk.fs)));
  await settled(log.append({ hardState: { term: 1, vote: 1, commit: 0 }, metadata: new TextEncoder().encode('somebody') }));
  for (let index = 1; index <= entries; index++) await settled(log.append({ entries: [entryAt(index, 1)], hardState: { term: 1, vote: 1, commit: index } }));
  return copyOfDisk(disk);
}

/** A log that rotates, on a disk that stops. `before` is the number of operations before the write that rotates. */
async function rotate(stopBefore: number): Promise<{ disk: SimDisk; before: number; done: boolean }> {
  const disk = new SimDisk({ stopBefore });
  const log = await settled(WalStorage.bootstrap(options, diskEnvironment(disk.fs)));
  await settled(log.append({ hardState: { term: 1, vote: 1, commit: 0 }, metadata: new TextEncoder().encode('somebody') }));
  let index = 1;
  for (; index <= 5; index++) await settled(log.append({ entries: [entryAt(index, 1)], hardState: { term: 1, vote: 1, commit: index } }));
  await quiet();
  const before = disk.opCount;
  let done = false;
  void log.append({ entries: [entryAt(index, 1, 1200)], hardState: { term: 1, vote: 1, commit: index } }).then(() => (done = true));
  await quiet();
  return { disk: disk.fork({}), before, done };
}

/** Every moment of a rotation: the disk as a killed process leaves it. */
async function duringRotation(): Promise<SimDisk[]> {
  const found: SimDisk[] = [];
  const { before } = await rotate(Infinity);
  for (let stop = before; ; stop++) {
    const { disk, done } = await rotate(stop);
    found.push(disk);
    if (done) return found;
  }
}

describe('what proves that a batch was durable', () => {
  test('the copy that it is in: no batch of it can be a torn tail', async () => {
    const disk = await killedLog(4);
    await settled((await open(disk)).append({ sync: false, hardState: { term: 1, vote: 1, commit: 4 } }));
    const killed = copyOfDisk(disk);
    const path = segmentsOf(killed).at(-1)!;
    const last = batchesOf(killed.readFile(path)).at(-1)!;
    // Both marks are as before the open: they say less than the copy.
    setByte(killed, path, last.start + 60, (byte) => byte ^ 1);

    await expect(open(killed)).rejects.toMatchObject({ ...corrupt, file: `/${path}`, offset: last.start });
  });

  test('a batch behind it that has moved up', async () => {
    const disk = await killedLog(5);
    const path = segmentsOf(disk).at(-1)!;
    const [before] = batchesOf(disk.readFile(path)).slice(-2);
    cutOut(disk, path, before!.start, before!.end);

    await expect(open(disk)).rejects.toMatchObject({ ...corrupt, file: `/${path}`, offset: before!.start });
  });

  test('the segment behind it, though there is no batch in it', async () => {
    let tried = 0;
    for (const disk of await duringRotation()) {
      const segments = segmentsOf(disk);
      if (segments.length < 2) continue;
      const path = segments.at(-2)!;
      if (batchesOf(disk.readFile(segments.at(-1)!)).length > 0) continue;
      const damaged = copyOfDisk(disk);
      const bytes = damaged.readFile(path);
      const lastEntry = batchesOf(bytes).filter(({ seq }) => seq <= 6).at(-1)!;
      damaged.writeFile(path, bytes.fill(0, lastEntry.start));
      tried++;
      await expect(open(damaged)).rejects.toMatchObject(corrupt);
    }
    expect(tried).toBeGreaterThan(0);
  });
});

describe('a rotation that stops anywhere', () => {
  /** Opens, writes, and loses the power; then what was written has to be there. */
  async function goesOn(disk: SimDisk, compact: boolean): Promise<void> {
    const log = await open(disk);
    const last = log.lastIndex();
    await settled(log.append({ entries: [entryAt(last + 1, 1)], hardState: { term: 1, vote: 1, commit: last } }));
    if (compact) {
      await settled(log.createSnapshot(last, conf, snapshotAt(last, 1).data));
      await settled(log.compact(last));
      await quiet();
    }
    const content = await settled(contentOf(log));
    expect(content).toContain('metadata somebody');

    const lost = disk.crashImage(nothing(disk.crashPoint()), {});
    expect(await settled(contentOf(await open(lost)))).toBe(content);
  }

  test.each([{ compact: false }, { compact: true }])('what is written afterwards survives a loss of power; compaction: $compact', async ({ compact }) => {
    const moments = await duringRotation();
    expect(moments.length).toBeGreaterThan(10);
    for (const disk of moments) await goesOn(disk, compact);
  });

  test('the metadata outlive the segment that they stand in, also if a mark names its seal', async () => {
    const moments = (await duringRotation()).filter((disk) => segmentsOf(disk).length === 2 && batchesOf(disk.readFile(segmentsOf(disk)[1]!)).length === 0);
    // The last one: the seal is synced, and the first batch behind it is about to be written.
    const disk = copyOfDisk(moments.at(-1)!);
    const segment = disk.readFile(segmentsOf(disk)[0]!);
    const seal = batchesOf(segment).at(-1)!;
    disk.writeFile('wal/mark.0', encodeMark({ counter: 100, seq: seal.seq, term: 1, vote: 1 }, segment.slice(16, 32)));

    await goesOn(disk, true);
    expect(segmentsOf(disk)).toHaveLength(1);
  });
});

describe('a directory that is not whole', () => {
  test('without any segment it is damaged, for as long as anything tells of a log', async () => {
    const disk = await killedLog(3);
    for (const path of segmentsOf(disk)) deleteFile(disk, path);
    for (const path of ['wal/mark.0', 'wal/mark.1']) {
      await expect(open(disk)).rejects.toMatchObject(corrupt);
      for (const mode of ['bootstrap', 'join'] as const) await expect(settled(WalStorage[mode](options, diskEnvironment(disk.fs)))).rejects.toMatchObject({ code: WalErrorCode.AlreadyExists });
      deleteFile(disk, path);
    }
    // The token of the last owner is left.
    expect(disk.files()).toEqual(['wal/LOCK']);
    await expect(open(disk)).rejects.toMatchObject(corrupt);
    await expect(settled(WalStorage.bootstrap(options, diskEnvironment(disk.fs)))).rejects.toMatchObject({ code: WalErrorCode.AlreadyExists });
  });

  test('a rotten version is damage, and a newer one is a newer one', async () => {
    const disk = await killedLog(2);
    const path = segmentsOf(disk).at(-1)!;
    const rotten = copyOfDisk(disk);
    flipBit(rotten, path, 8 * 8 + 3);
    await expect(open(rotten)).rejects.toMatchObject({ ...corrupt, file: `/${path}`, offset: 0 });

    setByte(disk, path, 8, 2);
    // In another version the checksum may stand anywhere.
    setByte(disk, path, 12, 200);
    await expect(open(disk)).rejects.toMatchObject({ code: WalErrorCode.UnknownVersion });
  });
});

test('a killed start leaves nothing that locks the log out', async () => {
  let stopped = 0;
  for (let stop = 0; ; stop++) {
    const disk = (await killedLog(3)).fork({ stopBefore: stop });
    let done = false;
    void WalStorage.open(options, diskEnvironment(disk.fs, 4)).then(() => (done = true));
    await quiet();
    if (done) break;
    stopped++;
    const log = await open(disk.fork({}));
    expect(log.lastIndex()).toBe(3);
  }
  expect(stopped).toBeGreaterThan(20);
});

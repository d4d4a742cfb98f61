import { describe, expect, test } from '@jest/globals';
import { FileAccess, type FileSystem } from '../../../src/node/shared/fileSystem.js';
import { writeFully } from '../../../src/node/shared/fileIo.js';
import { crashChoices, everything, nothing, randomChoice } from './crashChoices.js';
import { crashImages, imagesOf, recordRun, type CrashImage, type Workload } from './crashImages.js';
import { SimDisk } from './simDisk.js';
import { Prng } from '../../../src/sim/prng.js';
import { announceSeed } from '../../support/seededRandom.js';
import { FileOpKind } from './fileOp.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const recordSize = 8;

/** A log of records that each fill 8 bytes: the number, and a check. Enough to know a torn one. */
async function appendRecords(fs: FileSystem, note: (ack: number) => void, count: number, sync = true): Promise<void> {
  const file = await fs.create('log');
  await fs.syncDirectory('/');
  for (let i = 1; i <= count; i++) {
    await writeFully(file, record(i), (i - 1) * recordSize);
    if (sync) await file.datasync();
    note(i);
  }
}

function record(i: number): Uint8Array {
  return Uint8Array.of(i, i ^ 0xa5, 1, 2, 3, 4, 5, i);
}

/** Records from the start of the log to the first one that is none. */
async function readRecords(fs: FileSystem): Promise<number[]> {
  if (!(await fs.readdir('/')).includes('log')) return [];
  const file = await fs.open('log', FileAccess.Read);
  const records: number[] = [];
  const bytes = new Uint8Array(recordSize);
  while ((await file.read(bytes, records.length * recordSize)) === recordSize) {
    if (!Buffer.from(bytes).equals(record(records.length + 1))) break;
    records.push(records.length + 1);
  }
  return records;
}

async function collect<A>(images: AsyncIterable<CrashImage<A>>): Promise<CrashImage<A>[]> {
  const all: CrashImage<A>[] = [];
  for await (const image of images) all.push(image);
  return all;
}

describe('crashImages', () => {
  test('a log that syncs before it promises loses nothing, in any image', async () => {
    const lengths = new Set<number>();
    for await (const image of crashImages<number>((fs, note) => appendRecords(fs, note, 5))) {
      const records = await readRecords(image.fs);
      const promised = image.acks.at(-1) ?? 0;
      if (records.length < promised || records.length > promised + 1) throw new Error(`${records.length} of ${promised}: ${image.description}`);
      lengths.add(records.length);
    }
    expect(lengths.size).toBe(6);
  });

  test.each<{ mistake: string; workload: Workload<number> }>([
    { mistake: 'no datasync', workload: (fs, note) => appendRecords(fs, note, 2, false) },
    {
      mistake: 'no sync of the directory',
      workload: async (fs, note) => {
        const file = await fs.create('log');
        await writeFully(file, record(1), 0);
        await file.datasync();
        note(1);
      },
    },
    {
      mistake: 'the promise before the sync',
      workload: async (fs, note) => {
        const file = await fs.create('log');
        await fs.syncDirectory('/');
        await writeFully(file, record(1), 0);
        const sync = file.datasync();
        note(1);
        await sync;
      },
    },
    {
      mistake: 'a name that replaces a file before its bytes are there',
      workload: async (fs, note) => {
        await appendRecords(fs, note, 1);
        const file = await fs.create('log.tmp');
        await writeFully(file, record(1), 0);
        await fs.rename('log.tmp', 'log');
        await fs.syncDirectory('/');
        await file.datasync();
      },
    },
    {
      mistake: 'a name taken away before its successor is durable',
      workload: async (fs, note) => {
        await appendRecords(fs, note, 1);
        await fs.link('log', 'next');
        await fs.unlink('log');
        await fs.link('next', 'log');
        await fs.syncDirectory('/');
      },
    },
  ])('finds the mistake: $mistake', async ({ workload }) => {
    const found: string[] = [];
    for await (const image of crashImages(workload, { kills: false })) {
      if ((await readRecords(image.fs)).length < (image.acks.at(-1) ?? 0)) found.push(image.description);
    }
    expect(found).not.toEqual([]);
  });

  /** For each state that a power loss leaves of a disk that stops before an operation, whichever: the most that was promised with it. */
  async function byStopping(workload: Workload<string>): Promise<Map<string, number>> {
    const states = new Map<string, number>();
    const { ops } = await recordRun(workload);
    for (let stopBefore = 0; stopBefore <= ops.length; stopBefore++) {
      const disk = new SimDisk({ stopBefore });
      const noted: string[] = [];
      workload(disk.fs, (ack) => void noted.push(ack)).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      for (const choice of crashChoices(disk.crashPoint(), new Prng(1, 'stop'))) {
        const hash = disk.crashImage(choice).hash();
        states.set(hash, Math.max(noted.length, states.get(hash) ?? 0));
      }
    }
    return states;
  }

  async function byRecording(workload: Workload<string>): Promise<Map<string, number>> {
    const states = new Map<string, number>();
    const images = await collect(crashImages(workload, { kills: false }));
    for (const { hash, acks: { length } } of images) states.set(hash, Math.max(length, states.get(hash) ?? 0));
    expect(new Set(images.map(({ hash, acks: { length } }) => `${hash} ${length}`)).size).toBe(images.length);
    return states;
  }

  test('gives what stopping the disk before each operation gives, and nothing else', async () => {
    const workload: Workload<string> = async (fs, note) => {
      await fs.mkdir('d');
      const file = await fs.create('d/a');
      await fs.syncDirectory('d');
      await fs.syncDirectory('/');
      await file.write(Buffer.from('x'.repeat(700)), 0);
      await file.datasync();
      note('x');
      await fs.link('d/a', 'd/b');
      await file.write(Buffer.from('yy'), 100);
      await fs.rename('d/b', 'd/c');
      await file.datasync();
      note('y');
      await fs.unlink('d/a');
    };
    const expected = await byStopping(workload);

    expect([...(await byRecording(workload))].sort()).toEqual([...expected].sort());
    expect(expected.size).toBeGreaterThan(20);
    expect(new Set(expected.values())).toEqual(new Set([0, 1, 2]));
  });

  test('gives more where several operations are under way at once', async () => {
    const workload: Workload<string> = async (fs, note) => {
      const [a, b] = await Promise.all([fs.create('a'), fs.create('b')]);
      await fs.syncDirectory('/');
      await a.write(Buffer.from('1'), 0);
      await Promise.all([a.datasync().then(() => note('a')), b.write(Buffer.from('2'), 0)]);
      await Promise.all([b.datasync().then(() => note('b')), fs.unlink('a')]);
    };
    const given = await byRecording(workload);

    for (const [hash, acks] of await byStopping(workload)) expect(given.get(hash)).toBeGreaterThanOrEqual(acks);
  });

  test('what follows from an operation is not promised at a crash before it', async () => {
    const workload: Workload<string> = async (fs, note) => {
      const file = await fs.create('a');
      note('created');
      await file.write(Uint8Array.of(1), 0);
      await file.datasync();
      note('synced');
      await fs.syncDirectory('/');
      note('named');
    };
    const { stops } = await recordRun(workload);

    expect(stops.map(({ next, acks }) => [next?.kind, acks.join(' ')])).toEqual([
      [FileOpKind.Create, ''],
      [FileOpKind.Write, 'created'],
      [FileOpKind.Datasync, 'created'],
      [FileOpKind.SyncDirectory, 'created synced'],
      [undefined, 'created synced named'],
    ]);
  });

  test('a promise that is made late still belongs to the crash before the next operation', async () => {
    const workload: Workload<string> = async (fs, note) => {
      const file = await fs.create('a');
      const late = (async () => {
        for (let i = 0; i < 20; i++) await Promise.resolve();
        note('late');
      })();
      await file.write(Uint8Array.of(1), 0);
      await late;
    };
    const { stops } = await recordRun(workload);

    expect(stops.map(({ next, acks }) => [next?.kind, acks.length])).toEqual([[FileOpKind.Create, 0], [FileOpKind.Write, 1], [undefined, 1]]);
  });

  test('of two operations at once, a crash before the end of the first sees both under way', async () => {
    const disk = new SimDisk();
    disk.writeFile('a', new Uint8Array(4));
    disk.writeFile('b', new Uint8Array(4));
    const workload: Workload<string> = async (fs) => {
      const a = await fs.open('a', FileAccess.ReadWrite);
      const b = await fs.open('b', FileAccess.ReadWrite);
      await a.write(Uint8Array.of(1), 0);
      await Promise.all([a.datasync(), b.write(Uint8Array.of(2), 0)]);
    };
    const seen = new Set<string>();
    for await (const image of crashImages(workload, { from: disk, kills: false })) seen.add(`${image.disk.readFile('a')[0]}${image.disk.readFile('b')[0]}`);

    expect(seen).toContain('02');
  });

  test('a killed process leaves what it saw, still un-synced', async () => {
    const images = await collect(crashImages<number>((fs, note) => appendRecords(fs, note, 1)));
    const kills = images.filter(({ kind }) => kind === 'kill');
    const last = kills.find(({ disk }) => disk.files().length === 1 && disk.readFile('log').length === recordSize && !disk.isSynced);

    expect(kills.length).toBeGreaterThan(3);
    expect(last?.description).toBe('before op 3 datasync log; killed');
    expect(images.filter(({ kind }) => kind === 'power').every(({ disk }) => disk.isSynced)).toBe(true);
  });

  test('depth 2: the recovery is crashed as well, and what was promised before it still counts', async () => {
    const recover: Workload<number> = async (fs, note) => {
      const records = await readRecords(fs);
      const tmp = await fs.create('log.tmp').catch(async () => fs.unlink('log.tmp').then(() => fs.create('log.tmp')));
      for (const i of records) await writeFully(tmp, record(i), (i - 1) * recordSize);
      await tmp.datasync();
      await fs.rename('log.tmp', 'log');
      await fs.syncDirectory('/');
      note(records.length);
    };
    let count = 0;
    const depths = new Set<string>();
    for await (const image of crashImages<number>((fs, note) => appendRecords(fs, note, 4))) {
      const before = image.disk.hash();
      for await (const again of crashImages(recover, { from: image, most: 20 })) {
        count++;
        const records = await readRecords(again.fs);
        const promised = Math.max(0, ...again.acks);
        if (records.length < promised) throw new Error(`${records.length} of ${promised}: ${again.description}`);
        depths.add(`${image.kind} ${again.kind}`);
        expect(again.description).toContain(`${image.description}; then `);
        expect(again.acks.slice(0, image.acks.length)).toEqual(image.acks);
      }
      expect(image.disk.hash()).toBe(before);
    }
    expect(count).toBeGreaterThan(400);
    expect(depths.size).toBe(4);
  });

  test('a workload that fails, or waits for something else, is told', async () => {
    await expect(collect(crashImages(async ({ open }) => void (await open('x', FileAccess.Read))))).rejects.toThrow();
    await expect(recordRun(async (fs) => void (await fs.open('x', FileAccess.Read)))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(recordRun(async () => new Promise(() => {}))).rejects.toThrow('not the disk');
  });

  test('the same seed gives the same images, in the same order', async () => {
    const workload: Workload<number> = async (fs) => void (await (await fs.create('a')).write(new Uint8Array(10_000).fill(7), 0));
    const hashes = async (seed: number) => (await collect(crashImages(workload, { seed }))).map(({ hash }) => hash);

    expect(await hashes(1)).toEqual(await hashes(1));
    expect(await hashes(1)).not.toEqual(await hashes(2));
  });

  test('the description tells the place and what became of each part', async () => {
    const workload: Workload<number> = async (fs) => {
      const file = await fs.create('a');
      await file.write(new Uint8Array(600).fill(1), 500);
      await file.datasync();
      await fs.rename('a', 'b');
    };
    const descriptions = (await collect(crashImages(workload, { distinct: false }))).map(({ description }) => description);

    expect(descriptions).toContain('before op 2 datasync a; a@500+12 new, @512+512 garbage, @1024+76 old; a has length 0; create a happened');
    expect(descriptions).toContain('at the end; create a lost, rename a to b happened');
  });
});

describe('crashChoices', () => {
  /** A moment with so many un-synced sectors in one file of certain length, and so many new names. */
  async function moment(sectors: number, names: number): Promise<SimDisk> {
    const disk = new SimDisk();
    disk.writeFile('a', new Uint8Array(512 * sectors).fill(1));
    const file = await disk.fs.open('a', FileAccess.ReadWrite);
    if (sectors > 0) await file.write(new Uint8Array(512 * sectors).fill(2), 0);
    for (let i = 0; i < names; i++) await disk.fs.create(`n${i}`);
    return disk;
  }

  async function choices(sectors: number, names: number, limits = {}): Promise<string[]> {
    const point = (await moment(sectors, names)).crashPoint();
    return [...crashChoices(point, new Prng(1, 'choices'), limits)].map((choice) => `${Array.from(choice.sectors).join('')}/${Array.from(choice.changes).join('')}`);
  }

  test.each([
    { sectors: 0, names: 0, distinct: 1 },
    { sectors: 1, names: 0, distinct: 4 },
    { sectors: 4, names: 0, distinct: 256 },
    { sectors: 2, names: 3, distinct: 128 },
  ])('$sectors sectors and $names names: all $distinct', async ({ sectors, names, distinct }) => {
    expect(new Set(await choices(sectors, names)).size).toBe(distinct);
  });

  test('up to 8 sectors: every subset, with each sort of loss, and single damage', async () => {
    const all = new Set(await choices(8, 1));
    for (let subset = 0; subset < 256; subset++) {
      for (const loss of '023') {
        const sectors = Array.from({ length: 8 }, (_, i) => ((subset >> i) & 1 ? '1' : loss)).join('');
        expect(all.has(`${sectors}/0`) && all.has(`${sectors}/1`)).toBe(true);
      }
    }
    expect([...all]).toEqual(expect.arrayContaining(['11121111/1', '00300000/0', '00000003/0']));
  });

  test('more: every prefix and every single omission, with each sort of loss, and random subsets', async () => {
    const all = new Set(await choices(40, 0));
    for (const loss of '023') {
      for (let i = 0; i < 40; i++) {
        expect(all.has(`${'1'.repeat(i)}${loss.repeat(40 - i)}/`)).toBe(true);
        expect(all.has(`${'1'.repeat(i)}${loss}${'1'.repeat(39 - i)}/`)).toBe(true);
      }
    }
    expect([...all].filter((choice) => new Set(choice).size === 5).length).toBeGreaterThan(20);
  });

  test('more names: prefixes, omissions and random subsets', async () => {
    const all = new Set(await choices(0, 9));

    expect([...all]).toEqual(expect.arrayContaining(['/111111111', '/000000000', '/110000000', '/111011111']));
    expect(all.size).toBeGreaterThan(40);
  });

  test('choices with one key give one image', async () => {
    const random = new Prng(announceSeed('choices with one key'), 'keys');
    let repeated = 0;
    for (let run = 0; run < 30; run++) {
      const disk = new SimDisk();
      const filled = new Uint8Array(1500).fill(run % 2);
      disk.writeFile('a', filled);
      const file = await disk.fs.open('a', FileAccess.ReadWrite);
      for (let i = 0; i < 3; i++) await file.write(new Uint8Array(1 + random.below(700)).fill(random.below(2)), random.below(1800));
      if (random.chance(0.5)) await disk.fs.link('a', 'b');
      const point = disk.crashPoint();
      const images = new Map<string, string>();
      for (let i = 0; i < 200; i++) {
        // One garbage, so that keys meet more often.
        const choice = { ...randomChoice(point, random), garbage: 1 };
        const key = point.key(choice);
        const hash = disk.crashImage(choice).hash();
        if (images.has(key)) repeated++;
        expect(images.get(key) ?? hash).toBe(hash);
        images.set(key, hash);
      }
    }
    expect(repeated).toBeGreaterThan(1000);
  });

  test('too many combinations: each dimension with the extremes of the others', async () => {
    const all = new Set(await choices(8, 6));

    expect([...all]).toEqual(expect.arrayContaining(['10101010/111111', '10101010/000000', '11111111/101010', '00000000/101010']));
    expect(all.size).toBeLessThan(4096);
  });

  test('a limit on the number is kept, and begins with all and nothing', async () => {
    expect((await choices(20, 2, { most: 10 })).length).toBe(10);
    expect((await choices(20, 2, { most: 10 })).slice(0, 2)).toEqual([`${'1'.repeat(20)}/11`, `${'0'.repeat(20)}/00`]);
  });

  test('random choices reach every state, all of it and nothing', async () => {
    const point = (await moment(2, 2)).crashPoint();
    const random = new Prng(3, 'random');
    const seen = new Set(Array.from({ length: 5_000 }, () => randomChoice(point, random)).map(({ sectors, changes }) => `${Array.from(sectors).join('')}/${Array.from(changes).join('')}`));

    expect(seen.size).toBe(64);
    expect(everything(point)).toEqual({ sectors: Uint8Array.of(1, 1), lengths: [], changes: Uint8Array.of(1, 1) });
    expect(nothing(point).sectors).toEqual(new Uint8Array(2));
  });

  test('images of one run can be asked for again', async () => {
    const run = await recordRun<number>((fs, note) => appendRecords(fs, note, 3));
    const hashes = () => [...imagesOf(run)].map(({ hash }) => hash);

    expect(hashes()).toEqual(hashes());
    expect(text(run.disk.readFile('log'))).toHaveLength(3 * recordSize);
  });
});

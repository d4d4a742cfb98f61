import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

import { isSegmentLike, isSnapshotName, isTemporary, segmentSeqOf } from '../../../src/node/wal/names.js';

/** A system call on a file of a log, or a line that the program has printed. */
export interface Call {
  /** As `fdatasync segment 1`, `synced write segment 1` (of a descriptor opened with O_DSYNC), `link spare to segment 2`, `done NAME`. */
  readonly text: string;
  /** Lines of the trace at which it began and had ended. */
  readonly begin: number;
  readonly end: number;
  /** Number of the file, which keeps it through all its names; 0 for a line. */
  readonly file: number;
}

/** All ways to write, to make durable and to change names. */
const traced = 'openat,open,close,write,writev,pwrite64,pwritev,pread64,fdatasync,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat';

/** Why programs cannot be traced here; null if they can. */
export function whyNotTraced(): string | null {
  if (process.platform !== 'linux') return 'only Linux has strace';
  const { error, status, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', `trace=${traced}`, 'true'], { encoding: 'utf8' });
  if (error !== undefined) return 'strace is not installed';
  return status === 0 ? null : `strace does not work here: ${stderr.trim()}`;
}

/** Runs a program of Node under strace. Returns what it did with the files in `dir`. */
export function trace(program: string, dir: string, output: string): Call[] {
  const args = ['-f', '-s', '60', '-o', output, '-e', `trace=${traced}`, process.execPath, program, dir];
  // libuv can do its work past the system calls; it does not by default.
  const { status, stderr } = spawnSync('strace', args, { encoding: 'utf8', env: { ...process.env, UV_USE_IO_URING: '0' }, timeout: 120_000, killSignal: 'SIGKILL' });
  if (status !== 0) throw new Error(`the traced program failed: ${stderr}`);
  return new TraceReader(dir).read(readFileSync(output, 'utf8'));
}

interface RawCall {
  readonly name: string;
  readonly args: string;
  readonly result: number;
  readonly begin: number;
  readonly end: number;
}

/** Puts together what strace tears apart when threads overlap: `name(args <unfinished ...>` and `<... name resumed>rest`. */
function rawCalls(text: string): RawCall[] {
  const open = new Map<string, { name: string; args: string; begin: number }>();
  const calls: RawCall[] = [];
  text.split('\n').forEach((line, at) => {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const begun = /^(\w+)\((.*) <unfinished \.\.\.>$/.exec(rest);
    if (begun !== null) {
      open.set(thread, { name: begun[1]!, args: begun[2]!, begin: at });
      return;
    }
    const resumed = /^<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)/.exec(rest);
    const whole = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(rest);
    if (resumed !== null) {
      const { name, args, begin } = open.get(thread)!;
      calls.push({ name, args: args + resumed[2]!, result: Number(resumed[3]), begin, end: at });
    } else if (whole !== null) {
      calls.push({ name: whole[1]!, args: whole[2]!, result: Number(whole[3]), begin: at, end: at });
    }
  });
  return calls.filter(({ result }) => result >= 0).sort((a, b) => a.end - b.end);
}

class TraceReader {
  private readonly dir: string;
  private files = 0;
  private readonly byPath = new Map<string, number>();
  private readonly names = new Map<number, string>();
  private readonly byDescriptor = new Map<number, number>();
  /** Descriptors whose writes are durable when they return. */
  private readonly synced = new Set<number>();

  constructor(dir: string) {
    this.dir = dir;
  }

  read(text: string): Call[] {
    return rawCalls(text).flatMap((raw) => {
      const told = this.tell(raw);
      return told === null ? [] : [{ ...told, begin: raw.begin, end: raw.end }];
    });
  }

  private tell({ name, args, result }: RawCall): { text: string; file: number } | null {
    const paths = [...args.matchAll(/"([^"]*)"/g)].map((match) => match[1]!);
    const descriptor = /^\d+/.test(args) ? Number.parseInt(args, 10) : -1;
    const file = this.byDescriptor.get(descriptor);
    switch (name) {
      case 'open':
      case 'openat':
        return this.open(paths[0]!, args, result);
      case 'close':
        this.byDescriptor.delete(descriptor);
        return null;
      case 'write':
        return descriptor === 1 ? { text: paths[0]!.replace('\\n', ''), file: 0 } : this.write(descriptor, file);
      case 'writev':
      case 'pwrite64':
      case 'pwritev':
        return this.write(descriptor, file);
      case 'pread64':
        return file === undefined ? null : { text: `read ${this.names.get(file)}`, file };
      case 'fdatasync':
      case 'fsync':
        return file === undefined ? null : { text: `${name} ${this.names.get(file)}`, file };
      default:
        return this.changeNames(name.replace(/(?:at2?)$/, ''), paths);
    }
  }

  private write(descriptor: number, file: number | undefined): { text: string; file: number } | null {
    return file === undefined ? null : { text: `${this.synced.has(descriptor) ? 'synced write' : 'write'} ${this.names.get(file)}`, file };
  }

  private open(path: string, args: string, descriptor: number): { text: string; file: number } | null {
    this.byDescriptor.delete(descriptor);
    this.synced.delete(descriptor);
    if (args.includes('O_DSYNC')) this.synced.add(descriptor);
    // The directory above holds the name of the log's own.
    if (resolve(path) === dirname(this.dir)) this.note(descriptor, path, 'parent');
    if (path !== this.dir && !resolve(path).startsWith(`${this.dir}/`)) return null;
    const isNew = args.includes('O_CREAT');
    const file = this.note(descriptor, path, path === this.dir ? 'directory' : roleOf(path));
    return isNew ? { text: `create ${this.names.get(file)}`, file } : null;
  }

  private note(descriptor: number, path: string, role: string): number {
    let file = this.byPath.get(path);
    if (file === undefined) {
      file = ++this.files;
      this.byPath.set(path, file);
      this.names.set(file, role);
    }
    this.byDescriptor.set(descriptor, file);
    return file;
  }

  private changeNames(call: string, [from = '', to = '']: readonly string[]): { text: string; file: number } | null {
    const file = this.byPath.get(from);
    if (file === undefined) return null;
    const before = this.names.get(file)!;
    if (call === 'unlink') {
      this.byPath.delete(from);
      return { text: `unlink ${roleOf(from)}`, file };
    }
    if (call === 'rename') this.byPath.delete(from);
    this.byPath.set(to, file);
    this.names.set(file, roleOf(to));
    return { text: `${call} ${before} to ${roleOf(to)}`, file };
  }
}

/** What a file of a log is, without numbers and tags that say nothing. */
function roleOf(path: string): string {
  const name = basename(path);
  if (isSegmentLike(name)) return `segment ${segmentSeqOf(name)}`;
  if (isSnapshotName(name)) return 'snapshot';
  if (isTemporary(name)) return `${/^[A-Za-z]+/.exec(name)?.[0] ?? 'snapshot'}.tmp`;
  return name.replace(/^mark\.[01]$/, 'mark');
}

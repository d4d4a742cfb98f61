import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NodeId } from 'raftstep';
import { nodeFileSystem, systemEnvironment, WalStorage, type WalEnvironment, type WalOptions } from 'raftstep/wal';
import type { Disk, NodeLog, NodeLogEvents } from './disk.js';

/** Length of a segment. A start writes two for each node, so they are smaller here than a server would have them. */
const segmentBytes = 4 * 1024 * 1024;

/** What is known of the group apart from the logs, in the file `cluster`. */
interface GroupFile {
  /** Tells this group from all others. */
  readonly clusterId: number;
  /** Whether every member has had its log: from then on, one that has none has lost it. */
  readonly complete: boolean;
}

/**
 * Logs on the disk of this machine: a directory for each node below one for all.
 *
 * A member whose log is gone must not start with an empty one. It may have voted, and acknowledged entries that
 * only a few have, and it would take both back. So somebody has to remember that there were logs, and this is done
 * by a file beside them: no node runs before it says so. A program that serves one member on each machine has an
 * operator for this, who says which start is the first.
 */
export class WalDisk implements Disk {
  readonly description: string;
  readonly #dir: string;
  readonly #clusterId: number;
  readonly #env: WalEnvironment;
  readonly #release: () => Promise<void>;

  private constructor(dir: string, members: readonly NodeId[], clusterId: number, env: WalEnvironment, release: () => Promise<void>) {
    this.description = `the logs are in ${members.map((id) => logDir(dir, id)).join(', ')}`;
    this.#dir = dir;
    this.#clusterId = clusterId;
    this.#env = env;
    this.#release = release;
  }

  /**
   * Opens what earlier runs have left in a directory. If they have left nothing, makes an empty log for every member.
   *
   * @param dir is made if it is not there. Nobody else gets it before `close`, or the end of the process.
   * @throws Error if some logs are missing, or another program has the directory.
   */
  static async prepare(dir: string, members: readonly NodeId[], env: WalEnvironment = systemEnvironment): Promise<WalDisk> {
    const path = resolve(dir);
    await makeDirectory(path);
    // The logs have locks of their own, but two programs that begin together would each get some of them.
    const release = await env.lock.claim(path);
    try {
      return new WalDisk(path, members, await findGroup(path, members, env), env, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#release();
  }

  open(id: NodeId, { failed, storageLow }: NodeLogEvents): Promise<NodeLog> {
    return WalStorage.open({ ...logOptions(this.#dir, id, this.#clusterId), onFailure: failed, onStorageLow: storageLow }, this.#env);
  }
}

/** The id of the group whose logs are in a directory, made if there is none. */
async function findGroup(path: string, members: readonly NodeId[], env: WalEnvironment): Promise<number> {
  const withLog = new Set<NodeId>();
  for (const id of members) if (await WalStorage.exists(logDir(path, id), env)) withLog.add(id);
  const missing = members.filter((id) => !withLog.has(id));

  let group = await readGroup(path);
  if (group === null) {
    if (withLog.size > 0) throw new Error(`${groupFile(path)} is missing, but there are logs beside it. Put it back, or begin with an empty directory`);
    group = { clusterId: randomBytes(6).readUIntBE(0, 6), complete: false };
    await createGroup(path, group);
  }
  if (group.complete && missing.length > 0) throw new Error(lostText(path, missing));
  const { clusterId } = group;
  if (!group.complete) {
    // The first start, or one that goes on where the first was interrupted: no node has run yet.
    await Promise.all(missing.map(async (id) => (await WalStorage.bootstrap(logOptions(path, id, clusterId), env)).close()));
    await replaceGroup(path, { ...group, complete: true });
  }
  return clusterId;
}

function logOptions(dir: string, nodeId: NodeId, clusterId: number): WalOptions {
  return { dir: logDir(dir, nodeId), nodeId, clusterId, segmentBytes };
}

function logDir(dir: string, id: NodeId): string {
  return join(dir, `node-${id}`);
}

function groupFile(dir: string): string {
  return join(dir, 'cluster');
}

function lostText(dir: string, missing: readonly NodeId[]): string {
  const logs = missing.map((id) => logDir(dir, id)).join(', ');
  return `there is no log in ${logs}, and there has been one. Without it the node must not start, since it would take back what it has promised. Put it back, or begin with an empty directory`;
}

/** Makes a directory, and its name durable. */
async function makeDirectory(dir: string): Promise<void> {
  const first = await mkdir(dir, { recursive: true });
  if (first === undefined) return;
  for (let made = dir; made.length >= first.length; made = dirname(made)) await nodeFileSystem.syncDirectory(dirname(made));
}

async function readGroup(dir: string): Promise<GroupFile | null> {
  let text: string;
  try {
    text = await readFile(groupFile(dir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { clusterId, complete } = JSON.parse(text) as Record<string, unknown>;
    if (Number.isSafeInteger(clusterId) && typeof complete === 'boolean') return { clusterId: clusterId as number, complete };
  } catch {
    // As bad as one that says something else.
  }
  throw new Error(`${groupFile(dir)} is not what an earlier run has written. Put it back, or begin with an empty directory`);
}

/** Writes the file for the first time. A link never replaces a file, should the lock not reach another program. */
async function createGroup(dir: string, group: GroupFile): Promise<void> {
  const temporary = await writeGroup(dir, group);
  try {
    await link(temporary, groupFile(dir));
  } finally {
    await rm(temporary);
  }
  await nodeFileSystem.syncDirectory(dir);
}

async function replaceGroup(dir: string, group: GroupFile): Promise<void> {
  await rename(await writeGroup(dir, group), groupFile(dir));
  await nodeFileSystem.syncDirectory(dir);
}

async function writeGroup(dir: string, group: GroupFile): Promise<string> {
  const path = `${groupFile(dir)}.${process.pid}.tmp`;
  const file = await open(path, 'w');
  try {
    await file.writeFile(`${JSON.stringify(group)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}

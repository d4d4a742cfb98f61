import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import type { Journal } from './journal.js';
import type { KvNode } from './kvNode.js';
import { ReadFailed } from './reads.js';
import { statusLines, type Tally } from './shell.js';

/** How long the nodes get at the end to apply what is committed, in milliseconds. */
const convergeMs = 10_000;

/** How a run ended. */
export interface Summary {
  readonly lines: readonly string[];
  /** Why it is no success; empty if it is one. */
  readonly problems: readonly string[];
  /** 0, 1 if something went wrong, 2 if only lines of the input were bad. */
  readonly exitCode: 0 | 1 | 2;
}

/**
 * Waits until every node that is up has applied everything committed, and compares them: with each
 * other by a hash of the whole state, and with the journal of the client key by key.
 *
 * @param elapsedMs from the first command to the last answer, in milliseconds.
 */
export async function summarize(cluster: Cluster, journal: Journal, tally: Tally, elapsedMs: number): Promise<Summary> {
  const problems: string[] = [];
  const compared = await converged(cluster);
  if (compared === null) problems.push(`the nodes cannot be compared: ${withoutQuorum(cluster)}`);

  const status = statusLines(cluster);
  const hashes = new Map(cluster.nodes.map((node) => [node.id, node.store.hash()]));
  const differences = (compared ?? []).map((node) => journal.compare(node.store.values));
  const lost = Math.max(0, ...differences.map((difference) => difference.lost));
  const duplicated = Math.max(0, ...differences.map((difference) => difference.duplicated));
  const equal = new Set(hashes.values()).size <= 1;

  const answered = tally.puts + tally.dels + tally.gets - tally.failed;
  const perSecond = Math.round(answered / Math.max(elapsedMs / 1000, 0.001));
  const lines = [
    'summary',
    `commands   ${count(tally.puts)} put, ${count(tally.dels)} del, ${count(tally.gets)} get, ${count(tally.others)} other; ${count(tally.bad)} bad, ${count(tally.failed)} without an answer`,
    `commits    ${count(cluster.commit)} entries`,
    `time       ${(elapsedMs / 1000).toFixed(2)} s, ${count(perSecond)} commands/s`,
    `writes     ${count(journal.acknowledged)} acknowledged, ${count(lost)} lost, ${count(duplicated)} duplicated, ${count(journal.doubtful)} in doubt`,
    ...cluster.members.map((id, i) => status[i]! + appliedText(cluster.nodes.find((node) => node.id === id), hashes.get(id))),
  ];

  if (tally.failed > 0) problems.push(`commands without an answer: ${count(tally.failed)}`);
  if (lost > 0) problems.push(`acknowledged writes that are lost: ${count(lost)}`);
  if (duplicated > 0) problems.push(`writes applied more than once: ${count(duplicated)}`);
  if (compared !== null && !equal) problems.push('the states of the nodes differ');
  if (cluster.failures > 0) problems.push('a node stopped after an error');
  const exitCode = problems.length > 0 ? 1 : tally.bad > 0 ? 2 : 0;
  if (compared !== null && equal) lines.push(`all ${compared.length} nodes that are up have the same state`);
  if (tally.bad > 0) problems.push(`bad lines, skipped: ${count(tally.bad)}`);
  return { lines, problems, exitCode };
}

/** The nodes that are up, once each has applied all that was committed; null if that cannot be told. */
async function converged(cluster: Cluster): Promise<readonly KvNode[] | null> {
  const { up, needed } = cluster.quorum;
  if (up < needed) return null;
  const deadline = Date.now() + convergeMs;
  while (Date.now() < deadline) {
    const { nodes } = cluster;
    try {
      // A read waits for exactly that. Nothing is written any more, so it stays true.
      await Promise.all(nodes.map((node) => node.read(() => undefined)));
      return nodes;
    } catch (error) {
      if (!(error instanceof ReadFailed)) throw error;
      await sleep(20);
    }
  }
  return null;
}

function withoutQuorum(cluster: Cluster): string {
  const { up, needed } = cluster.quorum;
  return up < needed ? `${up} of ${cluster.members.length} are up, ${needed} are needed` : `no answer within ${convergeMs / 1000} s`;
}

function appliedText(node: KvNode | undefined, hash: string | undefined): string {
  if (node === undefined || hash === undefined) return '';
  return `  writes ${node.store.applied} (${node.store.repeated} repeats left out)  state ${hash}`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

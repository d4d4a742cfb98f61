import { setTimeout as sleep } from 'node:timers/promises';
import { stateTypeName, type NodeId } from 'raftstep';
import type { Client, ReadAnswer, WriteAnswer } from './client.js';
import type { Cluster } from './cluster.js';
import { helpText, parseCommand, type Command } from './commands.js';
import type { Write } from './request.js';
import type { Screen } from './screen.js';

/** Reads that may be on their way at once. */
const maxReads = 256;

/** Commands without an answer that are printed one by one; the rest is only counted. */
const printedFailures = 5;

/** How long `kill leader` waits for a leader, in milliseconds. */
const leaderWaitMs = 3000;

/** What was asked, for the summary. */
export interface Tally {
  puts: number;
  dels: number;
  gets: number;
  others: number;
  /** Lines that were skipped because they cannot be carried out. */
  bad: number;
  /** Commands that got no answer. */
  failed: number;
}

/** How much a person sees of what goes well. */
export interface ShellOptions {
  /** Somebody types: every command gets an answer, and lines have no numbers. */
  readonly interactive: boolean;
  /** Every write that is acknowledged is printed at once. */
  readonly answers: boolean;
}

/** Carries out commands line by line. Writes overlap each other, and so do reads; each kind waits for the other. */
export class Shell {
  readonly #cluster: Cluster;
  readonly #client: Client;
  readonly #screen: Screen;
  readonly #options: ShellOptions;
  readonly tally: Tally = { puts: 0, dels: 0, gets: 0, others: 0, bad: 0, failed: 0 };
  #line = 0;
  #reads: Promise<void>[] = [];

  constructor(cluster: Cluster, client: Client, screen: Screen, options: ShellOptions) {
    this.#cluster = cluster;
    this.#client = client;
    this.#screen = screen;
    this.#options = options;
  }

  /** Runs until the lines end, or say `quit`, and everything is answered. */
  async run(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      this.#line++;
      const command = parseCommand(line);
      if (command === null) continue;
      if (typeof command === 'string') this.#bad(command);
      else if (command.kind === 'quit') break;
      // A put that need not wait costs no promise.
      else if (command.kind === 'put' && this.#reads.length === 0 && !this.#client.full) this.#send(command);
      else await this.#execute(command);
    }
    await this.#settled();
  }

  async #execute(command: Exclude<Command, { kind: 'quit' }>): Promise<void> {
    switch (command.kind) {
      case 'put':
      case 'del':
        return this.#write(command);
      case 'get':
        return this.#read(command.key);
      case 'kill':
        return this.#kill(command.node);
      case 'start':
        return this.#start(command.node);
      case 'status':
        return this.#status();
      case 'help':
        this.tally.others++;
        this.#screen.print(helpText);
    }
  }

  async #write(write: Write): Promise<void> {
    await this.#readsDone();
    while (this.#client.full) await this.#client.answered();
    this.#send(write);
    if (this.#options.interactive) await this.#client.settled();
  }

  #send(write: Write): void {
    if (write.kind === 'put') this.tally.puts++;
    else this.tally.dels++;
    const line = this.#line;
    this.#client.write(write, (answer) => this.#written(write, answer, line));
  }

  #written(write: Write, answer: WriteAnswer, line: number): void {
    if (!answer.ok) this.#failed(`${write.kind} ${write.key}: ${answer.reason}`, line);
    else if (this.#options.interactive) this.#screen.print(write.kind === 'put' || answer.existed ? 'ok' : `${write.key} is not set`);
    else if (this.#options.answers) this.#screen.print(`${write.kind} ${write.key}: ok`);
  }

  async #read(key: string): Promise<void> {
    this.tally.gets++;
    await this.#client.settled();
    if (this.#reads.length >= maxReads) await this.#readsDone();
    const line = this.#line;
    const answer = this.#client.read(key);
    const before = this.#reads.at(-1);
    // Answers come in any order, and are printed in that of the commands.
    this.#reads.push(Promise.all([answer, before]).then(([found]) => this.#found(key, found, line)));
    if (this.#options.interactive) await this.#readsDone();
  }

  #found(key: string, answer: ReadAnswer<string | undefined>, line: number): void {
    if (!answer.ok) this.#failed(`get ${key}: ${answer.reason}`, line);
    else this.#screen.print(answer.value === undefined ? `${key} is not set` : `${key} = ${answer.value}`);
  }

  async #kill(target: number | 'leader'): Promise<void> {
    this.tally.others++;
    const id = target === 'leader' ? await this.#findLeader() : target;
    if (id === null) return this.#bad('kill leader: nobody leads');
    // What is on its way survives the loss of a node. Without a quorum it would not, so it goes first.
    const { up, needed } = this.#cluster.quorum;
    if (up === needed) await this.#settled();
    const problem = this.#cluster.kill(id);
    if (problem !== null) this.#bad(problem);
  }

  async #findLeader(): Promise<NodeId | null> {
    const { up, needed } = this.#cluster.quorum;
    const deadline = Date.now() + (up < needed ? 0 : leaderWaitMs);
    while (this.#cluster.leader === null && Date.now() < deadline) await sleep(10);
    return this.#cluster.leader?.id ?? null;
  }

  async #start(id: number): Promise<void> {
    this.tally.others++;
    const problem = await this.#cluster.restart(id);
    if (problem !== null) this.#bad(problem);
    else this.#client.nodeStarted();
  }

  async #status(): Promise<void> {
    this.tally.others++;
    await this.#settled();
    for (const line of statusLines(this.#cluster)) this.#screen.print(line);
  }

  async #settled(): Promise<void> {
    await this.#client.settled();
    await this.#readsDone();
  }

  async #readsDone(): Promise<void> {
    await Promise.all(this.#reads);
    this.#reads = [];
  }

  #bad(problem: string): void {
    this.tally.bad++;
    this.#screen.error(this.#at(this.#line) + problem);
  }

  #failed(problem: string, line: number): void {
    this.tally.failed++;
    if (this.#options.interactive || this.tally.failed <= printedFailures) this.#screen.error(this.#at(line) + problem);
    else if (this.tally.failed === printedFailures + 1) this.#screen.error('further commands without an answer are counted, not printed');
  }

  #at(line: number): string {
    return this.#options.interactive ? '' : `line ${line}: `;
  }
}

/** One line per member. */
export function statusLines(cluster: Cluster): string[] {
  return cluster.members.map((id) => {
    const node = cluster.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) return `node ${id}  down`;
    const { role, term, commit, applied } = node.status();
    const roleName = stateTypeName(role).replace('State', '').toLowerCase();
    return `node ${id}  ${roleName.padEnd(12)} term ${term}  commit ${commit}  applied ${applied}  keys ${node.store.values.size}`;
  });
}

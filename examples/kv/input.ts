import { createInterface, type Interface } from 'node:readline';
import { maxLineLength } from './commands.js';
import { readLines } from './lines.js';
import type { Screen } from './screen.js';

/** The standard input: a terminal where somebody types, or a file or pipe. Ctrl-C ends it, a second Ctrl-C the program. */
export class Input {
  /** Whether somebody types. */
  readonly interactive = process.stdin.isTTY;
  readonly #screen: Screen;
  readonly #editor: Interface | null;
  #interrupted = false;
  #closed = false;

  constructor(screen: Screen) {
    this.#screen = screen;
    // In raw mode the editor gets Ctrl-C, and not the process.
    this.#editor = this.interactive ? createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' }) : null;
    this.#editor?.on('SIGINT', () => this.#interrupt());
    process.on('SIGINT', () => this.#interrupt());
    process.on('SIGTERM', () => this.#interrupt());
  }

  /** Whether Ctrl-C has ended it. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** The lines, as they are wanted. */
  async *lines(): AsyncGenerator<string, void, void> {
    if (this.#editor === null) {
      yield* this.#interruptible(readLines(process.stdin, maxLineLength));
      return;
    }
    this.#screen.usePrompt(this.#editor);
    this.#editor.prompt();
    for await (const line of this.#editor) {
      yield line;
      this.#editor.prompt();
    }
  }

  /** Nothing more will be read. */
  close(): void {
    this.#screen.usePrompt(null);
    if (this.#editor !== null && !this.#closed) this.#screen.print('');
    this.#closed = true;
    this.#editor?.close();
    process.stdin.destroy();
  }

  async *#interruptible(lines: AsyncIterable<string>): AsyncGenerator<string, void, void> {
    try {
      for await (const line of lines) {
        if (this.#interrupted) return;
        yield line;
      }
    } catch (error) {
      // A stream that is closed in the middle says so with an error.
      if (!this.#interrupted) throw error;
    }
  }

  #interrupt(): void {
    if (this.#interrupted) process.exit(130);
    this.#interrupted = true;
    this.close();
  }
}

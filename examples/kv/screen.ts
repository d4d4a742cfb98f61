import type { Interface } from 'node:readline';

const noColor = process.env['NO_COLOR'];

/** What people see. Answers and events go to the standard output, mistakes to the standard error. */
export class Screen {
  readonly #color = process.stdout.isTTY && (noColor === undefined || noColor === '');
  #prompt: Interface | null = null;

  /** The line editor of the terminal, whose prompt has to make way for what is printed meanwhile. */
  usePrompt(prompt: Interface | null): void {
    this.#prompt = prompt;
  }

  /** An answer. */
  print(text: string): void {
    this.#write(process.stdout, text);
  }

  /** Something that happened in the cluster. */
  event(text: string): void {
    this.#write(process.stdout, this.#color ? `\x1b[2m${text}\x1b[0m` : text);
  }

  /** Something that is wrong. */
  error(text: string): void {
    this.#write(process.stderr, this.#color ? `\x1b[31m${text}\x1b[0m` : text);
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    if (this.#prompt === null) {
      stream.write(`${text}\n`);
      return;
    }
    // Back to the first column, without the prompt and what is typed behind it; then both again.
    stream.write(`\r\x1b[K${text}\n`);
    this.#prompt.prompt(true);
  }
}

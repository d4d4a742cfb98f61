/** What a command prints. `log-level none` silences it; refusals come through all the same. */
export class Output {
  /** Whether prints are swallowed. */
  quiet = false;
  private text = '';

  /** Adds text; a line needs its own line feed. */
  print(text: string): void {
    if (!this.quiet) this.text += text;
  }

  /** Adds a line that says what a call refused. It shows even when the output is silenced. */
  refuse(line: string): void {
    this.text += `${line}\n`;
  }

  /** Indents by two spaces, and ends by a line feed, every line that `body` prints. */
  indented(body: () => void): void {
    const before = this.text;
    this.text = '';
    body();
    const inner = this.text;
    this.text = before;
    if (inner === '') return;
    const trimmed = inner.endsWith('\n') ? inner.slice(0, -1) : inner;
    this.text += `  ${trimmed.replaceAll('\n', '\n  ')}\n`;
  }

  /** Everything since the last call; `ok` if there was nothing. */
  take(): string {
    const text = this.text;
    this.text = '';
    return text === '' ? 'ok' : text;
  }
}

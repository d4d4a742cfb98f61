import type { Readable } from 'node:stream';

/**
 * The lines of a stream, without their ends. The stream is read no faster than the lines are taken,
 * and of a line that is too long only the beginning is kept: however large the input is, it takes
 * little memory.
 *
 * @param maxLength a longer line is cut to one UTF-16 unit more than this.
 */
export async function* readLines(stream: Readable, maxLength: number): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let line = '';
  for await (const chunk of stream) {
    const text = decoder.decode(chunk as Uint8Array, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield withoutReturn(extended(line, text, start, end, maxLength));
      line = '';
      start = end + 1;
    }
    line = extended(line, text, start, text.length, maxLength);
  }
  line += decoder.decode();
  if (line !== '') yield withoutReturn(line);
}

function extended(line: string, text: string, start: number, end: number, maxLength: number): string {
  const room = maxLength + 1 - line.length;
  return line + text.slice(start, Math.min(end, start + room));
}

/** Files from Windows end their lines with two characters. */
function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

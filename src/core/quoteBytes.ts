const hexDigits = '0123456789abcdef';

// What an editor shows as one visible character. The ASCII space is the only space among them.
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

/** Short escapes of ASCII characters, by code. */
const shortEscapes: Readonly<Record<number, string>> = {
  0x07: '\\a',
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0b: '\\v',
  0x0c: '\\f',
  0x0d: '\\r',
  0x22: '\\"',
  0x5c: '\\\\',
};

/**
 * Bytes as a double-quoted text on one line, in the notation of Go's `%q`: UTF-8 that can be seen
 * stays, the rest is escaped (`\n`, `\x00`, `\u200b`, `\U000e0001`), and a byte that is not part of
 * valid UTF-8 becomes `\xff`. Different bytes never give the same text.
 */
export function quoteBytes(bytes: Uint8Array): string {
  let text = '"';
  let i = 0;
  while (i < bytes.length) {
    const byte = bytes[i]!;
    if (byte < 0x80) {
      text += quoteAscii(byte);
      i++;
      continue;
    }
    const length = utf8Length(bytes, i);
    if (length === 0) {
      text += hexByte(byte);
      i++;
      continue;
    }
    text += quoteCodePoint(codePointAt(bytes, i, length));
    i += length;
  }
  return `${text}"`;
}

function quoteAscii(code: number): string {
  const short = shortEscapes[code];
  if (short !== undefined) return short;
  return code < 0x20 || code === 0x7f ? hexByte(code) : String.fromCharCode(code);
}

function quoteCodePoint(code: number): string {
  const text = String.fromCodePoint(code);
  if (printable.test(text)) return text;
  return code < 0x1_0000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

function hexByte(byte: number): string {
  return `\\x${hexDigits[byte >> 4]!}${hexDigits[byte & 15]!}`;
}

/** Length of the valid UTF-8 sequence of two to four bytes that starts at `at`, or 0 if there is none. */
function utf8Length(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  // The second byte is narrower for some leads: overlong forms, surrogates, and what lies above U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1]!;
  if (second < low || second > high) return 0;
  for (let i = at + 2; i < at + length; i++) {
    if ((bytes[i]! & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function codePointAt(bytes: Uint8Array, at: number, length: number): number {
  let code = bytes[at]! & (0xff >> (length + 1));
  for (let i = at + 1; i < at + length; i++) code = (code << 6) | (bytes[i]! & 0x3f);
  return code;
}

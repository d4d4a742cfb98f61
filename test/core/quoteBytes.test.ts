import { describe, expect, test } from '@jest/globals';
import { quoteBytes } from '../../src/core/quoteBytes.js';

describe('quoteBytes', () => {
  test.each<{ why: string; bytes: number[] | string; text: string }>([
    { why: 'nothing is an empty text', bytes: [], text: '""' },
    { why: 'ASCII that can be seen stays', bytes: "foo bar_1'~", text: `"foo bar_1'~"` },
    { why: 'quotes and backslashes are escaped', bytes: 'a"b\\c', text: '"a\\"b\\\\c"' },
    { why: 'control characters with a name use it', bytes: '\x07\b\t\n\v\f\r', text: '"\\a\\b\\t\\n\\v\\f\\r"' },
    { why: 'other control characters are in hex', bytes: [0, 0x1b, 0x1f, 0x7f], text: '"\\x00\\x1b\\x1f\\x7f"' },
    { why: 'letters of every length in UTF-8 stay', bytes: 'é€语😀', text: '"é€语😀"' },
    { why: 'the first and last of each length are decoded', bytes: '\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}', text: '"\\u0080\u07ff\u0800\\uffff\u{10000}\\U0010ffff"' },
    { why: 'spaces other than the ASCII one are escaped', bytes: '\u00a0\u2003\u3000', text: '"\\u00a0\\u2003\\u3000"' },
    { why: 'what cannot be seen is escaped', bytes: '\u200b\ufeff\u{e0001}\ue000', text: '"\\u200b\\ufeff\\U000e0001\\ue000"' },
    { why: 'combining marks stay', bytes: 'e\u0301', text: '"e\u0301"' },
    { why: 'the replacement character, written as such, stays', bytes: '\ufffd', text: '"\ufffd"' },
    { why: 'a continuation byte alone is no text', bytes: [0x80, 0xbf], text: '"\\x80\\xbf"' },
    { why: 'a sequence that ends early is no text', bytes: [0xe2, 0x82], text: '"\\xe2\\x82"' },
    { why: 'a broken sequence gives up one byte at a time', bytes: [0xe2, 0x82, 0x41, 0xc3, 0xa9], text: '"\\xe2\\x82Aé"' },
    { why: 'overlong forms are no text', bytes: [0xc0, 0x80, 0xe0, 0x9f, 0xbf, 0xf0, 0x8f, 0xbf, 0xbf], text: '"\\xc0\\x80\\xe0\\x9f\\xbf\\xf0\\x8f\\xbf\\xbf"' },
    { why: 'surrogates are no text', bytes: [0xed, 0xa0, 0x80], text: '"\\xed\\xa0\\x80"' },
    { why: 'nothing lies above U+10FFFF', bytes: [0xf4, 0x90, 0x80, 0x80, 0xf5, 0xff], text: '"\\xf4\\x90\\x80\\x80\\xf5\\xff"' },
  ])('$why', ({ bytes, text }) => {
    expect(quoteBytes(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes))).toBe(text);
  });

  test('every code point in UTF-8 is either shown or named by its number', () => {
    const encoder = new TextEncoder();
    const wrong: string[] = [];
    for (let code = 0xa0; code <= 0x10ffff; code += 61) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const shown = String.fromCodePoint(code);
      const text = quoteBytes(encoder.encode(shown)).slice(1, -1);
      if (text === shown) continue;
      const form = code > 0xffff ? /^\\U[0-9a-f]{8}$/ : /^\\u[0-9a-f]{4}$/;
      if (!form.test(text) || Number.parseInt(text.slice(2), 16) !== code) wrong.push(`${code.toString(16)} is ${text}`);
    }
    expect(wrong).toEqual([]);
  });
});

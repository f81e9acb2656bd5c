import { describe, expect, it } from 'vitest';
import { remembered } from '../../src/text/remembered.ts';

describe('a function that remembers', () => {
  it('computes once for a text, and again when others have come since', () => {
    const asked: string[] = [];
    const length = remembered((text) => asked.push(text) && text.length, 10);
    expect([length('four'), length('four'), length('fives')]).toEqual([4, 4, 5]);
    expect(asked).toEqual(['four', 'fives']);
    length('six');
    length('four');
    expect(asked).toEqual(['four', 'fives', 'six', 'four']);
    length('six');
    expect(asked).toHaveLength(4);
  });

  it('never takes one text for another, broken characters included', () => {
    const echo = remembered((text) => text);
    for (const text of ['\ud83d', '\ude00', '\ufffd', '😀', '', '\ud83d']) expect(echo(text)).toBe(text);
  });
});

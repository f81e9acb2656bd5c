import { describe, expect, it } from 'vitest';
import { Growth } from '../../../src/memory/summaries/growth.ts';

describe('whether a conversation has grown enough to be looked at', () => {
  const said = (bytes: number) => ['x'.repeat(bytes)];

  it('is not before it has as many bytes as a summary is made of tokens, and is again after as many more', () => {
    const growth = new Growth(100);
    expect(growth.hasGrown('a', said(60), true)).toBe(false);
    expect(growth.hasGrown('a', said(39), false)).toBe(false);
    expect(growth.hasGrown('b', said(99), true)).toBe(false);
    expect(growth.hasGrown('a', said(1), false)).toBe(true);
    expect(growth.hasGrown('a', said(99), false)).toBe(false);
    expect(growth.hasGrown('a', said(1), false)).toBe(true);
  });

  it('counts bytes, not characters: a character may be several tokens', () => {
    expect(new Growth(6).hasGrown('a', ['漢字'], true)).toBe(true);
  });

  it('is when it is not known how long the conversation is', () => {
    const growth = new Growth(100);
    expect(growth.hasGrown('begun before the last start', said(1), false)).toBe(true);
    expect(growth.hasGrown('begun before the last start', said(1), false)).toBe(false);
  });

  it('forgets the conversations that have been quiet longest, and looks at them once too often', () => {
    const growth = new Growth(100);
    growth.hasGrown('first', said(1), true);
    growth.hasGrown('second', said(1), true);
    for (let i = 0; i < 9_999; i += 1) growth.hasGrown(String(i), said(1), true);
    expect(growth.hasGrown('second', said(1), false)).toBe(false);
    expect(growth.hasGrown('first', said(1), false)).toBe(true);
  });
});

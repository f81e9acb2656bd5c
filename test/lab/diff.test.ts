import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diff, type Row } from '../../lab/text/diff.ts';

const SIGNS = { same: '  ', gone: '- ', new: '+ ', changed: '± ' };
const MARKS = { same: ['', ''], gone: ['[-', '-]'], new: ['[+', '+]'] } as const;
/** A comparison as one would write it on paper. */
const shown = (rows: Row[]) =>
  rows.map(({ kind, pieces }) => {
    if (kind !== 'changed') return SIGNS[kind] + pieces.map(({ text }) => text).join('');
    return SIGNS[kind] + pieces.map((piece) => MARKS[piece.kind].join(piece.text)).join('');
  });
const side = (rows: Row[], without: 'gone' | 'new') =>
  rows
    .filter(({ kind }) => kind !== without)
    .map(({ pieces }) =>
      pieces
        .filter(({ kind }) => kind !== without)
        .map(({ text }) => text)
        .join(''),
    )
    .join('\n');

describe('what changed from one draft to the next', () => {
  it('marks the words that changed in a line', () => {
    expect(shown(diff('One.\nThe first draft.\nEnd.', 'One.\nThe final draft.\nEnd.'))).toEqual([
      '  One.',
      '± The [-first-][+final+] draft.',
      '  End.',
    ]);
  });

  it('keeps the signs of code apart from its words', () => {
    expect(shown(diff("const A = ['b', 'c'];", "const A = ['b', 'c', 'd'];"))).toEqual([
      "± const A = ['b', 'c'[+, 'd'+]];",
    ]);
  });

  it('shows lines that have little in common as one that went and one that came', () => {
    expect(shown(diff('Apples are red.', 'Nothing else matters now.'))).toEqual([
      '- Apples are red.',
      '+ Nothing else matters now.',
    ]);
  });

  it('shows lines that were added and removed among those that stayed', () => {
    expect(shown(diff('a\nb\nc', 'a\nc\nd'))).toEqual(['  a', '- b', '  c', '+ d']);
  });

  it('finds nothing between equal texts', () => {
    expect(diff('a\n\nb', 'a\n\nb').every(({ kind }) => kind === 'same')).toBe(true);
  });

  it('lets both texts be read out of it again, whatever they are', () => {
    const line = fc.constantFrom(
      'one two three',
      'one two four',
      'five',
      '',
      '  x = [1, 2];',
      '  x = [1, 3];',
    );
    const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const rows = diff(before, after);
        expect(side(rows, 'new')).toBe(before);
        expect(side(rows, 'gone')).toBe(after);
      }),
    );
  });

  it('compares two long texts without a long wait', () => {
    const text = (word: string) =>
      Array.from({ length: 3_000 }, (_, at) => `Line ${String(at)} about ${word} ${String(at % 7)}`).join(
        '\n',
      );
    const begin = performance.now();
    const rows = diff(text('apples'), text('pears'));
    expect(performance.now() - begin).toBeLessThan(3_000);
    expect(side(rows, 'gone')).toBe(text('pears'));
  });
});

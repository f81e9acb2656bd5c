export interface Piece {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

/** Cells of the table of common parts that may be filled; more would hold the page up. */
const LARGEST_TABLE = 4_000_000;

/**
 * What changed from one text to the next, by words, or by lines when there are too many words: the longest common
 * subsequence, by the classic table (Wagner and Fischer, 1974), after the common beginning and end are set aside.
 */
export function diff(before: string, after: string): Piece[] {
  const words = compare(split(before, /(\s+)/), split(after, /(\s+)/));
  const pieces = words ?? compare(split(before, /(\n)/), split(after, /(\n)/));
  return joined(pieces ?? [...piece('gone', [before]), ...piece('new', [after])]);
}

function split(text: string, at: RegExp): string[] {
  return text.split(at).filter((part) => part !== '');
}

function compare(a: string[], b: string[]): Piece[] | null {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const middle = longestCommon(a.slice(start, a.length - end), b.slice(start, b.length - end));
  if (!middle) return null;
  return [...piece('same', a.slice(0, start)), ...middle, ...piece('same', a.slice(a.length - end))];
}

function longestCommon(a: string[], b: string[]): Piece[] | null {
  const width = b.length + 1;
  if ((a.length + 1) * width > LARGEST_TABLE) return null;
  const table = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => table[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pieces: Piece[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      pieces.push(...piece('same', [a[i] ?? '']));
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      pieces.push(...piece('gone', [a[i] ?? '']));
      i++;
    } else {
      pieces.push(...piece('new', [b[j] ?? '']));
      j++;
    }
  }
  return pieces;
}

function piece(kind: Piece['kind'], parts: string[]): Piece[] {
  return parts.length === 0 ? [] : [{ kind, text: parts.join('') }];
}

function joined(pieces: Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const next of pieces) {
    const last = result.at(-1);
    if (last?.kind === next.kind) last.text += next.text;
    else result.push({ ...next });
  }
  return result;
}

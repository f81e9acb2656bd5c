export interface Piece {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

/** One line of a comparison. A changed line holds what went and what came instead, side by side. */
export interface Row {
  kind: 'same' | 'gone' | 'new' | 'changed';
  pieces: Piece[];
}

/** Cells of the table of common parts that may be filled; more would hold the page up. */
const LARGEST_TABLE = 4_000_000;
/** Two lines with this share of their text in common are one line that was changed. */
const ALIKE = 0.5;
/** A changed line is looked for among this many that went: a whole text anew is compared in no time. */
const NEAR = 20;

/**
 * What changed from one text to the next, line by line, and by words inside a line that was changed: the longest
 * common subsequence, by the classic table (Wagner and Fischer, 1974), after the common beginning and end are set aside.
 */
export function diff(before: string, after: string): Row[] {
  const rows: Row[] = [];
  let [gone, come]: [string[], string[]] = [[], []];
  const close = () => {
    rows.push(...changed(gone, come));
    [gone, come] = [[], []];
  };
  for (const { kind, text } of compare(before.split('\n'), after.split('\n'))) {
    if (kind === 'gone') gone.push(text);
    else if (kind === 'new') come.push(text);
    else {
      close();
      rows.push({ kind: 'same', pieces: [{ kind: 'same', text }] });
    }
  }
  close();
  return rows;
}

/** Lines that went and lines that came in one place: those that are alike are paired. */
function changed(gone: string[], come: string[]): Row[] {
  const rows: Row[] = [];
  let next = 0;
  for (const line of come) {
    const pair = paired(gone, next, line);
    // What went without a successor stands before what came.
    const before =
      pair === null && line === come.at(-1) ? gone.slice(next) : gone.slice(next, pair?.at ?? next);
    rows.push(...before.map((text) => whole('gone', text)));
    rows.push(pair ? { kind: 'changed', pieces: pair.pieces } : whole('new', line));
    next = pair ? pair.at + 1 : next + before.length;
  }
  return [...rows, ...gone.slice(next).map((text) => whole('gone', text))];
}

/** The first line from a place on that this one can have come from. */
function paired(gone: string[], from: number, line: string): { at: number; pieces: Piece[] } | null {
  for (let at = from; at < Math.min(gone.length, from + NEAR); at++) {
    const pieces = words(gone[at] ?? '', line);
    if (pieces) return { at, pieces };
  }
  return null;
}

function whole(kind: 'gone' | 'new', text: string): Row {
  return { kind, pieces: [{ kind, text }] };
}

/** The change inside a line by words and signs; null when the two lines have too little in common. */
function words(before: string, after: string): Piece[] | null {
  const parts = (text: string) => text.split(/(\s+|[^\p{L}\p{N}_\s])/u).filter((part) => part !== '');
  const pieces = compare(parts(before), parts(after));
  const common = pieces
    .filter(({ kind, text }) => kind === 'same' && text.trim() !== '')
    .reduce((sum, { text }) => sum + text.length, 0);
  const length = (text: string) => text.replaceAll(/\s/g, '').length;
  if (2 * common < ALIKE * (length(before) + length(after))) return null;
  return tidy(pieces);
}

/** Joins neighbours, first what went and then what came; a gap of mere space between two changes belongs to both. */
function tidy(pieces: Piece[]): Piece[] {
  const result: Piece[] = [];
  let [gone, come] = ['', ''];
  const close = () => {
    if (gone !== '') result.push({ kind: 'gone', text: gone });
    if (come !== '') result.push({ kind: 'new', text: come });
    [gone, come] = ['', ''];
  };
  for (const [at, { kind, text }] of pieces.entries()) {
    if (kind === 'gone') gone += text;
    else if (kind === 'new') come += text;
    else if (
      text.trim() === '' &&
      gone !== '' &&
      come !== '' &&
      (pieces[at + 1]?.kind ?? 'same') !== 'same'
    ) {
      gone += text;
      come += text;
    } else {
      close();
      const last = result.at(-1);
      if (last?.kind === 'same') last.text += text;
      else result.push({ kind, text });
    }
  }
  close();
  return result;
}

function compare(a: string[], b: string[]): Piece[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const of = (kind: Piece['kind'], parts: string[]) => parts.map((text) => ({ kind, text }));
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return [
    ...of('same', a.slice(0, start)),
    ...(longestCommon(restA, restB) ?? [...of('gone', restA), ...of('new', restB)]),
    ...of('same', a.slice(a.length - end)),
  ];
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
      pieces.push({ kind: 'same', text: a[i] ?? '' });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      pieces.push({ kind: 'gone', text: a[i] ?? '' });
      i++;
    } else {
      pieces.push({ kind: 'new', text: b[j] ?? '' });
      j++;
    }
  }
  return pieces;
}

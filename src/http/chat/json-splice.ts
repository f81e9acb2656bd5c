/**
 * Changes to a JSON text that leave every other byte as it was: big integers, `1.0`, repeated keys and white space
 * survive, which `JSON.parse` and `JSON.stringify` would lose. The scanner looks at structure only and trusts that
 * the text has been through `JSON.parse`: on anything else its result means nothing.
 */

export interface Span {
  /** Offset in bytes of the first byte. */
  start: number;
  /** Offset in bytes just after the last byte. */
  end: number;
}

/** One `"key": value` of an object; the span begins at the key's quote and ends with the value. */
export interface Member extends Span {
  /** The key with its escapes resolved. */
  key: string;
  valueStart: number;
}

export interface ObjectSpans extends Span {
  /** In the order of the text, repeated keys included. `JSON.parse` takes the last of them. */
  members: Member[];
}

export interface ArraySpans extends Span {
  elements: Span[];
}

/** Replaces the bytes of the span; an empty span inserts. */
export interface Edit extends Span {
  text: string | Buffer;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const isSpace = (byte: number | undefined) =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function skipSpace(json: Buffer, at: number): number {
  let i = at;
  while (isSpace(json[i])) i += 1;
  return i;
}

/** `at` is the opening quote; the result is just after the closing one. */
function skipString(json: Buffer, at: number): number {
  let i = at + 1;
  while (i < json.length && json[i] !== QUOTE) i += json[i] === BACKSLASH ? 2 : 1;
  return i + 1;
}

/** `at` is the first byte of a value; the result is just after its last one. No recursion: depth is the sender's. */
function skipValue(json: Buffer, at: number): number {
  const first = json[at];
  if (first === QUOTE) return skipString(json, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let i = at;
    while (i < json.length) {
      const byte = json[i];
      if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break;
      i += 1;
    }
    return i;
  }
  let depth = 0;
  let i = at;
  while (i < json.length) {
    const byte = json[i];
    if (byte === QUOTE) {
      i = skipString(json, i);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    i += 1;
    if (depth === 0) break;
  }
  return i;
}

/** The members of the object that begins at `at`, or null when the value there is not an object. */
export function objectSpans(json: Buffer, at = 0): ObjectSpans | null {
  const start = skipSpace(json, at);
  if (json[start] !== OPEN_BRACE) return null;
  const members: Member[] = [];
  let i = skipSpace(json, start + 1);
  while (i < json.length && json[i] !== CLOSE_BRACE) {
    const keyEnd = skipString(json, i);
    // One more than the colon, which stands after any white space.
    const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = skipValue(json, valueStart);
    members.push({ key: JSON.parse(json.toString('utf8', i, keyEnd)) as string, start: i, valueStart, end });
    i = skipSpace(json, end);
    if (json[i] === COMMA) i = skipSpace(json, i + 1);
  }
  return { start, end: i + 1, members };
}

/** The elements of the array that begins at `at`, or null when the value there is not an array. */
export function arraySpans(json: Buffer, at: number): ArraySpans | null {
  const start = skipSpace(json, at);
  if (json[start] !== OPEN_BRACKET) return null;
  const elements: Span[] = [];
  let i = skipSpace(json, start + 1);
  while (i < json.length && json[i] !== CLOSE_BRACKET) {
    const end = skipValue(json, i);
    elements.push({ start: i, end });
    i = skipSpace(json, end);
    if (json[i] === COMMA) i = skipSpace(json, i + 1);
  }
  return { start, end: i + 1, elements };
}

/** The member that `JSON.parse` would take for this key: the last one. */
export function lastMember(object: ObjectSpans, key: string): Member | undefined {
  return object.members.findLast((member) => member.key === key);
}

/** Takes members out, each with one comma. */
export function cutMembers(object: ObjectSpans, unwanted: (key: string) => boolean): Edit[] {
  const edits: Edit[] = [];
  const { members } = object;
  const lastKept = members.findLastIndex((member) => !unwanted(member.key));
  for (const [i, member] of members.slice(0, lastKept + 1).entries()) {
    if (unwanted(member.key)) {
      edits.push({ start: member.start, end: (members[i + 1] as Member).start, text: '' });
    }
  }
  const first = members[lastKept + 1];
  if (first) {
    // Nothing that stays comes after these: the comma to go is the one before them.
    const start = members[lastKept]?.end ?? first.start;
    edits.push({ start, end: (members.at(-1) as Member).end, text: '' });
  }
  return edits;
}

/** Adds a member at the end of an object of which nothing is cut. `value` is JSON. */
export function appendMember(object: ObjectSpans, key: string, value: string): Edit {
  const last = object.members.at(-1);
  const at = last ? last.end : object.start + 1;
  return { start: at, end: at, text: `${last ? ',' : ''}${JSON.stringify(key)}:${value}` };
}

/** Adds an element before the element `index`, or at the end. `value` is JSON. */
export function insertElement(array: ArraySpans, index: number, value: string): Edit {
  const next = array.elements[index];
  if (next) return { start: next.start, end: next.start, text: `${value},` };
  const last = array.elements.at(-1);
  const at = last ? last.end : array.start + 1;
  return { start: at, end: at, text: `${last ? ',' : ''}${value}` };
}

/** Carries out edits that do not overlap, in any order. Edits at one place keep the order they are given in. */
export function applyEdits(json: Buffer, edits: Edit[]): Buffer {
  if (edits.length === 0) return json;
  const parts: Buffer[] = [];
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    parts.push(
      json.subarray(at, edit.start),
      typeof edit.text === 'string' ? Buffer.from(edit.text) : edit.text,
    );
    at = edit.end;
  }
  parts.push(json.subarray(at));
  return Buffer.concat(parts);
}

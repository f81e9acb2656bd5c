/**
 * What ranking has to know of every turn of a session, packed 64 turns to a row of `turn_index_blocks`: for each turn the
 * minute it was said, its length (32 bits each, signed), its traits and its speaker's code (16 bits each), little-endian.
 */
import { REMOVED, type IndexLookup } from '../turn-index.ts';

/** Turns in one row of `turn_index_blocks`. A row stays below a quarter of SQLite's page, so that it never overflows. */
const BLOCK_TURNS = 64;
const ENTRY_BYTES = 12;
/** Names beyond this many in one session share the last code: they are found, but not told apart by who spoke. */
const LAST_SPEAKER_CODE = 0xffff;

/** What is known of each turn, by place. */
export type TurnArrays = Pick<IndexLookup, 'minutes' | 'lengths' | 'traits' | 'speakers'>;

export interface TurnEntry {
  /** Milliseconds since the epoch. */
  timestamp: number;
  length: number;
  traits: number;
  speakerCode: number;
}

/** The row that a turn's entry is in. */
export const blockOf = (turnNumber: number): number => Math.floor((turnNumber - 1) / BLOCK_TURNS);
const offsetOf = (turnNumber: number): number => ((turnNumber - 1) % BLOCK_TURNS) * ENTRY_BYTES;

/** A block with a turn's entry in its place. Turns may come in any order; an import's do. */
export function withEntry(before: Buffer | undefined, turnNumber: number, entry: TurnEntry): Buffer {
  const offset = offsetOf(turnNumber);
  const entries = Buffer.alloc(Math.max(before?.length ?? 0, offset + ENTRY_BYTES));
  before?.copy(entries);
  // What an import brings later, or leaves out, is not there yet.
  for (let at = before?.length ?? 0; at < offset; at += ENTRY_BYTES) entries.writeInt32LE(REMOVED, at);
  entries.writeInt32LE(Math.floor(entry.timestamp / 60_000) | 0, offset);
  entries.writeInt32LE(entry.length, offset + 4);
  entries.writeUInt16LE(entry.traits & 0xffff, offset + 8);
  entries.writeUInt16LE(entry.speakerCode, offset + 10);
  return entries;
}

/** Empties a turn's place in its block: the others keep theirs. False when it was not there. */
export function emptyEntry(entries: Buffer, turnNumber: number): boolean {
  const offset = offsetOf(turnNumber);
  if (entries.length < offset + ENTRY_BYTES) return false;
  entries.fill(0, offset, offset + ENTRY_BYTES);
  entries.writeInt32LE(REMOVED, offset);
  return true;
}

/** The code of a name that is new, when `next` is free; one that finds none free shares the last one and gets no row. */
export function newSpeakerCode(next: number): { code: number; stored: boolean } {
  return next > LAST_SPEAKER_CODE ? { code: LAST_SPEAKER_CODE, stored: false } : { code: next, stored: true };
}

/** What stands in place of a name that was taken away. No name begins with a line break: those of people are trimmed. */
export const blankSpeaker = (code: number): string => `\n${String(code)}`;

/** Of these codes those that no turn has any more. */
export function unusedCodes(
  { minutes, speakers }: Pick<IndexLookup, 'minutes' | 'speakers'>,
  codes: readonly number[],
): number[] {
  const used = new Set(speakers.filter((_, place) => minutes[place] !== REMOVED));
  return codes.filter((code) => !used.has(code));
}

/** One row of `turn_index_blocks`. */
export type PackedBlock = readonly [conversation: number, block: number, entries: Buffer];

/** Where a block's first turn is, counted from the first of its conversation, and how many turns it has room for. */
export function spanOf([, block, entries]: PackedBlock): { offset: number; turns: number } {
  return { offset: block * BLOCK_TURNS, turns: entries.length / ENTRY_BYTES };
}

/** Writes a block's entries into the arrays from `place` on. */
export function unpackBlock([, , entries]: PackedBlock, into: TurnArrays, place: number): void {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  for (let offset = 0, at = place; offset < entries.length; offset += ENTRY_BYTES, at += 1) {
    into.minutes[at] = view.getInt32(offset, true);
    into.lengths[at] = view.getInt32(offset + 4, true);
    into.traits[at] = view.getUint16(offset + 8, true);
    into.speakers[at] = view.getUint16(offset + 10, true);
  }
}

/** All turns of a session, numbered through, from its blocks in order of conversation and block. */
export function unpackEntries(
  rows: readonly PackedBlock[],
  speakerNames: string[],
): Omit<IndexLookup, 'terms'> {
  const conversations: number[] = [];
  const starts: number[] = [];
  let count = 0;
  for (const row of rows) {
    if (conversations.at(-1) !== row[0]) {
      conversations.push(row[0]);
      starts.push(count);
    }
    const { offset, turns } = spanOf(row);
    count = (starts.at(-1) ?? 0) + offset + turns;
  }
  const found = {
    conversations: Int32Array.from(conversations),
    starts: Int32Array.from(starts),
    minutes: new Int32Array(count),
    lengths: new Int32Array(count),
    speakers: new Uint16Array(count),
    traits: new Uint16Array(count),
    speakerNames,
  };
  // Where no row is, no turn is.
  found.minutes.fill(REMOVED);
  let at = 0;
  for (const row of rows) {
    while (conversations[at] !== row[0]) at += 1;
    unpackBlock(row, found, (starts[at] ?? 0) + spanOf(row).offset);
  }
  return found;
}

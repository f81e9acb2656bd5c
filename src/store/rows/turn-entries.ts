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

/** All turns of a session, numbered through, from its blocks in order of conversation and block. */
export function unpackEntries(
  rows: readonly (readonly [conversation: number, block: number, entries: Buffer])[],
  speakerNames: string[],
): Omit<IndexLookup, 'terms'> {
  const conversations: number[] = [];
  const starts: number[] = [];
  let count = 0;
  for (const [conversation, block, entries] of rows) {
    if (conversations.at(-1) !== conversation) {
      conversations.push(conversation);
      starts.push(count);
    }
    count = (starts.at(-1) ?? 0) + block * BLOCK_TURNS + entries.length / ENTRY_BYTES;
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
  // All entries in one buffer, so that they are read in one sweep.
  const bytes = new Uint8Array(count * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  let conversationAt = 0;
  let end = 0;
  for (const [conversation, block, entries] of rows) {
    while (conversations[conversationAt] !== conversation) conversationAt += 1;
    const start = ((starts[conversationAt] ?? 0) + block * BLOCK_TURNS) * ENTRY_BYTES;
    // Where no row is, no turn is.
    for (; end < start; end += ENTRY_BYTES) view.setInt32(end, REMOVED, true);
    bytes.set(entries, start);
    end = start + entries.length;
  }
  for (let place = 0, offset = 0; place < count; place += 1, offset += ENTRY_BYTES) {
    found.minutes[place] = view.getInt32(offset, true);
    found.lengths[place] = view.getInt32(offset + 4, true);
    found.traits[place] = view.getUint16(offset + 8, true);
    found.speakers[place] = view.getUint16(offset + 10, true);
  }
  return found;
}

import type { Database } from 'better-sqlite3';
import { REMOVED, type IndexLookup } from '../turn-index.ts';
import { prepared } from './connection.ts';

/** Turns in one row of `turn_index_blocks`. A row stays below a quarter of a page, so that it never overflows. */
const BLOCK_TURNS = 64;
const ENTRY_BYTES = 12;
/** Names beyond this many in one session share the last code: they are found, but not told apart by who spoke. */
const LAST_SPEAKER_CODE = 0xffff;

export interface TurnEntry {
  sessionKey: number;
  conversationOrdinal: number;
  turnNumber: number;
  /** Milliseconds since the epoch. */
  timestamp: number;
  /** The speaker's name, or the agent's. */
  speaker: string;
  length: number;
  traits: number;
}

/** Writes one turn into its place. Turns may come in any order; an import's do. */
export function writeTurnEntry(database: Database, entry: TurnEntry): void {
  const { sessionKey, conversationOrdinal, turnNumber } = entry;
  const block = Math.floor((turnNumber - 1) / BLOCK_TURNS);
  const offset = ((turnNumber - 1) % BLOCK_TURNS) * ENTRY_BYTES;
  const before = prepared(
    database,
    'SELECT entries FROM turn_index_blocks WHERE session_key = ? AND conversation_ordinal = ? AND block = ?',
  )
    .pluck()
    .get(sessionKey, conversationOrdinal, block) as Buffer | undefined;
  const entries = Buffer.alloc(Math.max(before?.length ?? 0, offset + ENTRY_BYTES));
  before?.copy(entries);
  // What an import brings later, or leaves out, is not there yet.
  for (let at = before?.length ?? 0; at < offset; at += ENTRY_BYTES) entries.writeInt32LE(REMOVED, at);
  entries.writeInt32LE(Math.floor(entry.timestamp / 60_000) | 0, offset);
  entries.writeInt32LE(entry.length, offset + 4);
  entries.writeUInt16LE(entry.traits & 0xffff, offset + 8);
  entries.writeUInt16LE(speakerCode(database, sessionKey, entry.speaker), offset + 10);
  prepared(
    database,
    `INSERT INTO turn_index_blocks (session_key, conversation_ordinal, block, entries) VALUES (?, ?, ?, ?)
     ON CONFLICT (session_key, conversation_ordinal, block) DO UPDATE SET entries = excluded.entries`,
  ).run(sessionKey, conversationOrdinal, block, entries);
}

function speakerCode(database: Database, sessionKey: number, name: string): number {
  const known = prepared(database, 'SELECT code FROM turn_index_speakers WHERE session_key = ? AND name = ?')
    .pluck()
    .get(sessionKey, name) as number | undefined;
  if (known !== undefined) return known;
  const next = prepared(
    database,
    'SELECT coalesce(max(code) + 1, 0) FROM turn_index_speakers WHERE session_key = ?',
  )
    .pluck()
    .get(sessionKey) as number;
  if (next > LAST_SPEAKER_CODE) return LAST_SPEAKER_CODE;
  prepared(database, 'INSERT INTO turn_index_speakers (session_key, code, name) VALUES (?, ?, ?)').run(
    sessionKey,
    next,
    name,
  );
  return next;
}

/** Marks a turn's place as empty: the others keep theirs. */
export function removeTurnEntry(
  database: Database,
  sessionKey: number,
  conversationOrdinal: number,
  turnNumber: number,
): void {
  const block = Math.floor((turnNumber - 1) / BLOCK_TURNS);
  const offset = ((turnNumber - 1) % BLOCK_TURNS) * ENTRY_BYTES;
  const entries = prepared(
    database,
    'SELECT entries FROM turn_index_blocks WHERE session_key = ? AND conversation_ordinal = ? AND block = ?',
  )
    .pluck()
    .get(sessionKey, conversationOrdinal, block) as Buffer | undefined;
  if (!entries || entries.length < offset + ENTRY_BYTES) return;
  entries.fill(0, offset, offset + ENTRY_BYTES);
  entries.writeInt32LE(REMOVED, offset);
  prepared(
    database,
    'UPDATE turn_index_blocks SET entries = ? WHERE session_key = ? AND conversation_ordinal = ? AND block = ?',
  ).run(entries, sessionKey, conversationOrdinal, block);
}

/** Codes of names that no turn has any more; not of those that were taken away already. */
export function unusedSpeakers(database: Database, sessionKey: number): number[] {
  const { minutes, speakers } = readTurnEntries(database, sessionKey);
  const used = new Set(speakers.filter((_, place) => minutes[place] !== REMOVED));
  const codes = prepared(
    database,
    'SELECT code FROM turn_index_speakers WHERE session_key = ? AND substr(name, 1, 1) <> char(10)',
  )
    .pluck()
    .all(sessionKey) as number[];
  return codes.filter((code) => !used.has(code));
}

/** Takes a name away, unless a turn has it by now. Its code is left empty, so that the others keep theirs. */
export function removeSpeakers(database: Database, sessionKey: number, codes: readonly number[]): void {
  if (codes.length === 0) return;
  const unused = new Set(unusedSpeakers(database, sessionKey));
  // No name begins with a line break: those of people are trimmed.
  const blank = prepared(
    database,
    'UPDATE turn_index_speakers SET name = ? WHERE session_key = ? AND code = ?',
  );
  for (const code of codes) if (unused.has(code)) blank.run(`\n${String(code)}`, sessionKey, code);
}

/** All turns of the session, numbered through. */
export function readTurnEntries(database: Database, sessionKey: number): Omit<IndexLookup, 'terms'> {
  const rows = prepared(
    database,
    `SELECT conversation_ordinal, block, entries FROM turn_index_blocks WHERE session_key = ?
      ORDER BY conversation_ordinal, block`,
  )
    .raw()
    .all(sessionKey) as [conversation: number, block: number, entries: Buffer][];
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
    speakerNames: readSpeakers(database, sessionKey),
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

function readSpeakers(database: Database, sessionKey: number): string[] {
  return prepared(database, 'SELECT name FROM turn_index_speakers WHERE session_key = ? ORDER BY code')
    .pluck()
    .all(sessionKey) as string[];
}

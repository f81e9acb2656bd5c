import type { Database } from 'better-sqlite3';
import {
  blankSpeaker,
  blockOf,
  emptyEntry,
  newSpeakerCode,
  unpackEntries,
  unusedCodes,
  withEntry,
  type PackedBlock,
  type TurnEntry,
} from '../rows/turn-entries.ts';
import type { IndexLookup } from '../turn-index.ts';
import { prepared } from './connection.ts';

/** Where a turn's entry is. */
interface Place {
  sessionKey: number;
  conversationOrdinal: number;
  turnNumber: number;
}

/** Writes one turn into its place. Returns the version that the session's index is at with it. */
export function writeTurnEntry(
  database: Database,
  entry: Place & Omit<TurnEntry, 'speakerCode'> & { speaker: string },
): number {
  const speakerCode = codeOf(database, entry.sessionKey, entry.speaker);
  return writeBlock(
    database,
    entry,
    withEntry(readBlock(database, entry), entry.turnNumber, { ...entry, speakerCode }),
  );
}

/** Marks a turn's place as empty: the others keep theirs. */
export function removeTurnEntry(database: Database, place: Place): void {
  const entries = readBlock(database, place);
  if (entries && emptyEntry(entries, place.turnNumber)) writeBlock(database, place, entries);
}

function readBlock(
  database: Database,
  { sessionKey, conversationOrdinal, turnNumber }: Place,
): Buffer | undefined {
  return prepared(
    database,
    'SELECT entries FROM turn_index_blocks WHERE session_key = ? AND conversation_ordinal = ? AND block = ?',
  )
    .pluck()
    .get(sessionKey, conversationOrdinal, blockOf(turnNumber)) as Buffer | undefined;
}

function writeBlock(
  database: Database,
  { sessionKey, conversationOrdinal, turnNumber }: Place,
  entries: Buffer,
): number {
  const version = prepared(
    database,
    `INSERT INTO turn_index_versions (session_key, version, epoch) VALUES (?, 1, 0)
     ON CONFLICT (session_key) DO UPDATE SET version = version + 1 RETURNING version`,
  )
    .pluck()
    .get(sessionKey) as number;
  prepared(
    database,
    `INSERT INTO turn_index_blocks (session_key, conversation_ordinal, block, entries, version) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (session_key, conversation_ordinal, block)
       DO UPDATE SET entries = excluded.entries, version = excluded.version`,
  ).run(sessionKey, conversationOrdinal, blockOf(turnNumber), entries, version);
  return version;
}

/** Removes the blocks of a conversation that is gone. */
export function removeBlocks(database: Database, sessionKey: number, conversationOrdinal: number): void {
  prepared(database, 'DELETE FROM turn_index_blocks WHERE session_key = ? AND conversation_ordinal = ?').run(
    sessionKey,
    conversationOrdinal,
  );
  beginEpoch(database, sessionKey);
}

/** Whoever has read the session's index reads all of it again. */
export function beginEpoch(database: Database, sessionKey: number): void {
  prepared(database, 'UPDATE turn_index_versions SET epoch = epoch + 1 WHERE session_key = ?').run(
    sessionKey,
  );
}

function codeOf(database: Database, sessionKey: number, name: string): number {
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
  const { code, stored } = newSpeakerCode(next);
  if (stored) {
    prepared(database, 'INSERT INTO turn_index_speakers (session_key, code, name) VALUES (?, ?, ?)').run(
      sessionKey,
      code,
      name,
    );
  }
  return code;
}

/** Codes of names that no turn has any more; not of those that were taken away already. */
export function unusedSpeakers(database: Database, sessionKey: number): number[] {
  const codes = prepared(
    database,
    'SELECT code FROM turn_index_speakers WHERE session_key = ? AND substr(name, 1, 1) <> char(10)',
  )
    .pluck()
    .all(sessionKey) as number[];
  return unusedCodes(readTurnEntries(database, sessionKey), codes);
}

/** Takes a name away, unless a turn has it by now. Its code is left empty, so that the others keep theirs. */
export function removeSpeakers(database: Database, sessionKey: number, codes: readonly number[]): void {
  if (codes.length === 0) return;
  const unused = new Set(unusedSpeakers(database, sessionKey));
  const blank = prepared(
    database,
    'UPDATE turn_index_speakers SET name = ? WHERE session_key = ? AND code = ?',
  );
  for (const code of codes) if (unused.has(code)) blank.run(blankSpeaker(code), sessionKey, code);
  beginEpoch(database, sessionKey);
}

/** All turns of the session, numbered through. */
export function readTurnEntries(database: Database, sessionKey: number): Omit<IndexLookup, 'terms'> {
  const rows = prepared(
    database,
    `SELECT conversation_ordinal, block, entries FROM turn_index_blocks WHERE session_key = ?
      ORDER BY conversation_ordinal, block`,
  )
    .raw()
    .all(sessionKey) as PackedBlock[];
  return unpackEntries(rows, readSpeakers(database, sessionKey));
}

/** Blocks that were written after `version`, in the order of the session. */
export function readBlocksSince(database: Database, sessionKey: number, version: number): PackedBlock[] {
  return prepared(
    database,
    `SELECT conversation_ordinal, block, entries FROM turn_index_blocks WHERE session_key = ? AND version > ?
      ORDER BY conversation_ordinal, block`,
  )
    .raw()
    .all(sessionKey, version) as PackedBlock[];
}

/** The names of those who speak, by their codes. */
export function readSpeakers(database: Database, sessionKey: number): string[] {
  return prepared(database, 'SELECT name FROM turn_index_speakers WHERE session_key = ? ORDER BY code')
    .pluck()
    .all(sessionKey) as string[];
}

/** What the index of a session is at. */
export interface IndexVersion {
  version: number;
  epoch: number;
  /** Up to which version terms that waited have been taken over (`turn-terms.ts`). */
  takenOver: number;
}

/** Null where nothing was written since versions are kept. */
export function readVersion(database: Database, sessionKey: number): IndexVersion | null {
  const found = prepared(
    database,
    'SELECT version, epoch, taken_over AS takenOver FROM turn_index_versions WHERE session_key = ?',
  ).get(sessionKey) as IndexVersion | undefined;
  return found ?? null;
}

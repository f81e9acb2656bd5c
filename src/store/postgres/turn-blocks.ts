import {
  blankSpeaker,
  blockOf,
  emptyEntry,
  newSpeakerCode,
  unpackEntries,
  unusedCodes,
  withEntry,
  type TurnEntry,
} from '../rows/turn-entries.ts';
import type { IndexLookup } from '../turn-index.ts';
import type { Queries } from './queries.ts';

/** Where a turn's entry is. */
export interface EntryPlace {
  conversationOrdinal: number;
  turnNumber: number;
}

/** Blocks by conversation and number, as they are changed. */
type Blocks = Map<string, { ordinal: number; block: number; entries: Buffer | undefined }>;

/** Writes turns into their places. */
export async function writeTurnEntries(
  db: Queries,
  sessionId: string,
  turns: readonly (EntryPlace & Omit<TurnEntry, 'speakerCode'> & { speaker: string })[],
): Promise<void> {
  const codes = await codesOf(db, sessionId, [...new Set(turns.map(({ speaker }) => speaker))]);
  const blocks = await readBlocks(db, sessionId, turns);
  for (const turn of turns) {
    const block = blocks.get(keyOf(turn));
    if (!block) continue;
    const entry = { ...turn, speakerCode: codes.get(turn.speaker) ?? 0 };
    block.entries = withEntry(block.entries, turn.turnNumber, entry);
  }
  await writeBlocks(db, sessionId, blocks);
}

/** Marks turns' places as empty: the others keep theirs. */
export async function removeTurnEntries(
  db: Queries,
  sessionId: string,
  places: readonly EntryPlace[],
): Promise<void> {
  const blocks = await readBlocks(db, sessionId, places);
  for (const place of places) {
    const entries = blocks.get(keyOf(place))?.entries;
    if (entries) emptyEntry(entries, place.turnNumber);
  }
  await writeBlocks(db, sessionId, blocks);
}

const keyOf = ({ conversationOrdinal, turnNumber }: EntryPlace) =>
  `${String(conversationOrdinal)} ${String(blockOf(turnNumber))}`;

async function readBlocks(db: Queries, sessionId: string, places: readonly EntryPlace[]): Promise<Blocks> {
  const blocks: Blocks = new Map();
  for (const place of places) {
    const { conversationOrdinal: ordinal, turnNumber } = place;
    blocks.set(keyOf(place), { ordinal, block: blockOf(turnNumber), entries: undefined });
  }
  const asked = [...blocks.values()];
  const rows = await db.all<{ ordinal: number; block: number; entries: Buffer }>(
    `SELECT b.conversation_ordinal AS ordinal, b.block, b.entries
       FROM unnest($2::integer[], $3::bigint[]) AS asked (ordinal, block)
       JOIN turn_index_blocks b
         ON b.session_id = $1 AND b.conversation_ordinal = asked.ordinal AND b.block = asked.block`,
    sessionId,
    asked.map(({ ordinal }) => ordinal),
    asked.map(({ block }) => block),
  );
  for (const row of rows) blocks.set(`${String(row.ordinal)} ${String(row.block)}`, row);
  return blocks;
}

async function writeBlocks(db: Queries, sessionId: string, blocks: Blocks): Promise<void> {
  const written = [...blocks.values()].flatMap(({ entries, ...at }) => (entries ? [{ ...at, entries }] : []));
  if (written.length === 0) return;
  await db.run(
    `INSERT INTO turn_index_blocks (session_id, conversation_ordinal, block, entries)
     SELECT $1, * FROM unnest($2::integer[], $3::bigint[], $4::bytea[])
     ON CONFLICT (session_id, conversation_ordinal, block) DO UPDATE SET entries = excluded.entries`,
    sessionId,
    written.map(({ ordinal }) => ordinal),
    written.map(({ block }) => block),
    written.map(({ entries }) => entries),
  );
}

/** The code of each name; names that are new get one. */
async function codesOf(
  db: Queries,
  sessionId: string,
  names: readonly string[],
): Promise<Map<string, number>> {
  const known = await db.all<{ name: string; code: number }>(
    'SELECT name, code FROM turn_index_speakers WHERE session_id = $1 AND name = ANY($2::text[])',
    sessionId,
    names,
  );
  const codes = new Map(known.map(({ name, code }) => [name, code]));
  const added = names.filter((name) => !codes.has(name));
  if (added.length === 0) return codes;
  const next = await db.value<number>(
    'SELECT coalesce(max(code) + 1, 0) FROM turn_index_speakers WHERE session_id = $1',
    sessionId,
  );
  const given = added.map((name, i) => ({ name, ...newSpeakerCode((next ?? 0) + i) }));
  for (const { name, code } of given) codes.set(name, code);
  const stored = given.filter((speaker) => speaker.stored);
  await db.run(
    `INSERT INTO turn_index_speakers (session_id, code, name)
     SELECT $1, * FROM unnest($2::bigint[], $3::text[]) ON CONFLICT DO NOTHING`,
    sessionId,
    stored.map(({ code }) => code),
    stored.map(({ name }) => name),
  );
  return codes;
}

/** Codes of names that no turn has any more; not of those that were taken away already. */
export async function unusedSpeakers(db: Queries, sessionId: string): Promise<number[]> {
  const rows = await db.all<{ code: number }>(
    'SELECT code FROM turn_index_speakers WHERE session_id = $1 AND left(name, 1) <> chr(10)',
    sessionId,
  );
  return unusedCodes(
    await readTurnEntries(db, sessionId),
    rows.map(({ code }) => code),
  );
}

/** Takes a name away, unless a turn has it by now. Its code is left empty, so that the others keep theirs. */
export async function removeSpeakers(
  db: Queries,
  sessionId: string,
  codes: readonly number[],
): Promise<void> {
  if (codes.length === 0) return;
  const unused = new Set(await unusedSpeakers(db, sessionId));
  const blanked = codes.filter((code) => unused.has(code));
  await db.run(
    `UPDATE turn_index_speakers s SET name = blank.name
       FROM unnest($2::bigint[], $3::text[]) AS blank (code, name)
      WHERE s.session_id = $1 AND s.code = blank.code`,
    sessionId,
    blanked,
    blanked.map(blankSpeaker),
  );
}

/** All turns of the session, numbered through. */
export async function readTurnEntries(db: Queries, sessionId: string): Promise<Omit<IndexLookup, 'terms'>> {
  const rows = await db.all<{ ordinal: number; block: number; entries: Buffer }>(
    `SELECT conversation_ordinal AS ordinal, block, entries FROM turn_index_blocks WHERE session_id = $1
      ORDER BY conversation_ordinal, block`,
    sessionId,
  );
  const names = await db.all<{ name: string }>(
    'SELECT name FROM turn_index_speakers WHERE session_id = $1 ORDER BY code',
    sessionId,
  );
  return unpackEntries(
    rows.map(({ ordinal, block, entries }) => [ordinal, block, entries] as const),
    names.map(({ name }) => name),
  );
}

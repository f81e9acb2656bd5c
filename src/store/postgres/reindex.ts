import type { IndexedText, ReindexStore } from '../reindex-store.ts';
import { ORDER, takenOf, TABLES, type Key, type Progress } from '../rows/reindex-rows.ts';
import { insertEventTerms, removeEventTerms } from './causal-terms.ts';
import { indexFact } from './fact-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';
import { insertTurnTerms, type IndexedTurn } from './turn-index.ts';

/** Sessions whose entries another version made. */
const OUTDATED = `analyser_version > 0 AND analyser_version <> $1 AND status <> 'importing'`;

export const reindexModule: PostgresModule<ReindexStore> = {
  writes: ['write', 'sweep'],
  create: (db) => ({
    outdated: async (version) =>
      (await db.get<{ sessions: number; turns: number }>(
        `SELECT count(*) AS sessions, coalesce(sum(total_turns), 0)::bigint AS turns FROM sessions WHERE ${OUTDATED}`,
        version,
      )) ?? { sessions: 0, turns: 0 },
    next: async (version, after) =>
      (await db.value<string | null>(
        `SELECT min(session_id) FROM sessions WHERE ${OUTDATED} AND session_id > $2`,
        version,
        after,
      )) ?? null,
    read: (input) => readTexts(db, input),
    write: (input) => writeTexts(db, input),
    sweep: (input) => sweep(db, input),
  }),
};

async function isShown(db: Queries, sessionId: string): Promise<boolean> {
  const row = await db.get(
    `SELECT 1 FROM sessions WHERE session_id = $1 AND status <> 'importing'`,
    sessionId,
  );
  return row !== undefined;
}

/** Where the work on a version stands; at the beginning when another version was being made. */
async function progressOf(db: Queries, sessionId: string, version: number): Promise<Progress> {
  const row = await db.get<{ phase: Progress['phase']; position: string }>(
    'SELECT phase, position FROM reindex_progress WHERE session_id = $1 AND version = $2',
    sessionId,
    version,
  );
  return row
    ? { phase: row.phase, position: JSON.parse(row.position) as Key }
    : { phase: 'turns', position: [] };
}

async function keep(
  db: Queries,
  sessionId: string,
  version: number,
  { phase, position }: Progress,
): Promise<void> {
  await db.run(
    `INSERT INTO reindex_progress (session_id, version, phase, position) VALUES ($1, $2, $3, $4)
     ON CONFLICT (session_id) DO UPDATE SET version = excluded.version, phase = excluded.phase,
       position = excluded.position`,
    sessionId,
    version,
    phase,
    JSON.stringify(position),
  );
}

async function readTexts(
  db: Queries,
  { sessionId, version, limit, characters }: Parameters<ReindexStore['read']>[0],
): Promise<IndexedText[]> {
  if (!(await isShown(db, sessionId))) return [];
  const { phase, position } = await progressOf(db, sessionId, version);
  if (phase === 'sweep') return [];
  let after = position;
  for (const table of ORDER.slice(ORDER.indexOf(phase))) {
    const rows = await rowsAfter(db, table, sessionId, after, limit, characters);
    const texts = takenOf(rows, limit, characters);
    if (texts.length > 0) return texts;
    after = [];
  }
  return [];
}

async function rowsAfter(
  db: Queries,
  table: IndexedText['table'],
  sessionId: string,
  after: Key,
  limit: number,
  characters: number,
): Promise<IndexedText[]> {
  const { key, columns } = TABLES[table];
  const keys = key.join(', ');
  const beyond =
    after.length > 0 ? `AND (${keys}) > (${key.map((_, at) => `$${String(at + 4)}`).join(', ')})` : '';
  const length = columns.map((column) => `length(${column})`).join(' + ');
  // A text may have megabytes: what is not wanted is not sent. The first one is, however long.
  const rows = await db.all<Record<string, string | number>>(
    `SELECT * FROM (
       SELECT ${[...key, ...columns].join(', ')},
              sum(${length}) OVER (ORDER BY ${keys}) - (${length}) AS before
         FROM (SELECT * FROM ${table} WHERE session_id = $1 ${beyond} ORDER BY ${keys} LIMIT $2) AS next) AS counted
      WHERE before <= $3 ORDER BY ${keys}`,
    sessionId,
    limit,
    characters,
    ...after,
  );
  return rows.map((row) => ({
    table,
    key: key.map((name) => row[name] as string | number),
    row: Object.fromEntries(columns.map((name) => [name, row[name] as string])),
  }));
}

async function writeTexts(
  db: Queries,
  { sessionId, version, texts }: Parameters<ReindexStore['write']>[0],
): Promise<void> {
  const last = texts.at(-1)?.text;
  if (!last || !(await lockIfThere(db, sessionId)) || !(await isShown(db, sessionId))) return;
  await replaceTurns(
    db,
    sessionId,
    texts.filter(({ text }) => text.table === 'turns'),
  );
  for (const { text, terms } of texts) {
    const [no] = text.key;
    if (text.table === 'turns' || !(await isUnchanged(db, sessionId, text))) continue;
    if (text.table === 'causal_events') {
      await removeEventTerms(db, sessionId, Number(no));
      await insertEventTerms(db, sessionId, [{ eventNo: Number(no), terms }]);
    } else {
      await indexFact(db, sessionId, Number(no), terms);
    }
  }
  await keep(db, sessionId, version, { phase: last.table, position: last.key });
}

/** Puts new entries beside those that another analyser made; these stay until they are swept away. */
async function replaceTurns(
  db: Queries,
  sessionId: string,
  texts: Parameters<ReindexStore['write']>[0]['texts'],
): Promise<void> {
  if (texts.length === 0) return;
  const rows = await db.all<Omit<IndexedTurn, 'terms'> & { at: number }>(
    `SELECT asked.at, c.ordinal AS "conversationOrdinal", t.turn_number AS "turnNumber", t.timestamp,
            coalesce(t.speaker, t.agent) AS speaker
       FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS asked (conversation_id, turn_number, at)
       JOIN turns t ON t.session_id = $1 AND t.conversation_id = asked.conversation_id AND t.turn_number = asked.turn_number
       JOIN conversations c ON c.session_id = $1 AND c.conversation_id = t.conversation_id`,
    sessionId,
    texts.map(({ text }) => String(text.key[0])),
    texts.map(({ text }) => Number(text.key[1])),
  );
  await insertTurnTerms(
    db,
    sessionId,
    rows.flatMap(({ at, ...turn }) => {
      const terms = texts[at - 1]?.terms;
      return terms ? [{ ...turn, terms }] : [];
    }),
  );
}

/** A person may have corrected or forgotten it since it was read: then its entries are new already. */
async function isUnchanged(
  db: Queries,
  sessionId: string,
  { table, key, row }: IndexedText,
): Promise<boolean> {
  const wanted = [...TABLES[table].key, ...Object.keys(row)]
    .map((name, at) => `${name} = $${String(at + 2)}`)
    .join(' AND ');
  const found = await db.get(
    `SELECT 1 FROM ${table} WHERE session_id = $1 AND ${wanted}`,
    sessionId,
    ...key,
    ...Object.values(row),
  );
  return found !== undefined;
}

async function sweep(
  db: Queries,
  { sessionId, version, limit }: Parameters<ReindexStore['sweep']>[0],
): Promise<boolean> {
  if (!(await lockIfThere(db, sessionId)) || !(await isShown(db, sessionId))) return true;
  const { phase, position } = await progressOf(db, sessionId, version);
  const after: Key = phase === 'sweep' && position.length > 0 ? position : ['', 0, 0];
  const rows = await db.all<{ term: string; conversation: number; turn: number }>(
    `SELECT term, conversation_ordinal AS conversation, turn_number AS turn FROM turn_terms
      WHERE session_id = $1 AND (term, conversation_ordinal, turn_number) > ($3::text, $4::integer, $5::integer)
      ORDER BY term, conversation_ordinal, turn_number LIMIT $2`,
    sessionId,
    limit,
    ...after,
  );
  const last = rows.at(-1);
  if (last) {
    await db.run(
      `DELETE FROM turn_terms WHERE session_id = $1 AND version <> $2
          AND (term, conversation_ordinal, turn_number) > ($3::text, $4::integer, $5::integer)
          AND (term, conversation_ordinal, turn_number) <= ($6::text, $7::integer, $8::integer)`,
      sessionId,
      version,
      ...after,
      last.term,
      last.conversation,
      last.turn,
    );
  }
  if (last && rows.length === limit) {
    await keep(db, sessionId, version, {
      phase: 'sweep',
      position: [last.term, last.conversation, last.turn],
    });
    return false;
  }
  await db.run('UPDATE sessions SET analyser_version = $2 WHERE session_id = $1', sessionId, version);
  await db.run('DELETE FROM reindex_progress WHERE session_id = $1', sessionId);
  return true;
}

import type { Database } from 'better-sqlite3';
import type { IndexedText, ReindexStore } from '../reindex-store.ts';
import { ORDER, takenOf, TABLES, type Key, type Progress } from '../rows/reindex-rows.ts';
import { insertEventTerms, unindexEvent } from './causal-rows.ts';
import { prepared } from './connection.ts';
import { indexFact } from './fact-rows.ts';
import type { StoreModule } from './store-module.ts';
import { replaceTurnTerms } from './turn-index.ts';
import { takeOverTerms } from './turn-terms.ts';

/** Sessions whose entries another version made; two ranges of the index, and nothing of the others is read. */
const OUTDATED = ['BETWEEN 1 AND @version - 1', '> @version']
  .map(
    (range) => `SELECT session_id, total_turns FROM sessions INDEXED BY sessions_by_analyser
       WHERE analyser_version ${range} AND status <> 'importing'`,
  )
  .join(' UNION ALL ');

export const reindexModule: StoreModule<ReindexStore> = {
  writes: ['write', 'sweep'],
  create: (database) => ({
    outdated: (version) =>
      prepared(
        database,
        `SELECT count(*) AS sessions, coalesce(sum(total_turns), 0) AS turns FROM (${OUTDATED})`,
      ).get({ version }) as { sessions: number; turns: number },
    next: (version, after) =>
      (prepared(database, `SELECT min(session_id) FROM (${OUTDATED}) WHERE session_id > @after`)
        .pluck()
        .get({ version, after }) as string | null) ?? null,
    read: (input) => readTexts(database, input),
    write: (input) => writeTexts(database, input),
    sweep: (input) => sweep(database, input),
  }),
};

function sessionKeyOf(database: Database, sessionId: string): number | undefined {
  return prepared(database, `SELECT session_key FROM sessions WHERE session_id = ? AND status <> 'importing'`)
    .pluck()
    .get(sessionId) as number | undefined;
}

/** Where the work on a version stands; at the beginning when another version was being made. */
function progressOf(database: Database, sessionId: string, version: number): Progress {
  const row = prepared(
    database,
    'SELECT phase, position FROM reindex_progress WHERE session_id = ? AND version = ?',
  ).get(sessionId, version) as { phase: Progress['phase']; position: string } | undefined;
  return row
    ? { phase: row.phase, position: JSON.parse(row.position) as Key }
    : { phase: 'turns', position: [] };
}

function keep(database: Database, sessionId: string, version: number, { phase, position }: Progress): void {
  prepared(
    database,
    `INSERT INTO reindex_progress (session_id, version, phase, position) VALUES (?, ?, ?, ?)
     ON CONFLICT (session_id) DO UPDATE SET version = excluded.version, phase = excluded.phase,
       position = excluded.position`,
  ).run(sessionId, version, phase, JSON.stringify(position));
}

function readTexts(
  database: Database,
  { sessionId, version, limit, characters }: Parameters<ReindexStore['read']>[0],
): IndexedText[] {
  if (sessionKeyOf(database, sessionId) === undefined) return [];
  const { phase, position } = progressOf(database, sessionId, version);
  if (phase === 'sweep') return [];
  let after = position;
  for (const table of ORDER.slice(ORDER.indexOf(phase))) {
    const texts = takenOf(rowsAfter(database, table, sessionId, after), limit, characters);
    if (texts.length > 0) return texts;
    after = [];
  }
  return [];
}

/** One by one: a text may have megabytes, and what is not wanted is not read. */
function* rowsAfter(
  database: Database,
  table: IndexedText['table'],
  sessionId: string,
  after: Key,
): Generator<IndexedText> {
  const { key, columns } = TABLES[table];
  const keys = key.join(', ');
  const beyond = after.length > 0 ? `AND (${keys}) > (${key.map(() => '?').join(', ')})` : '';
  const rows = prepared(
    database,
    `SELECT ${[...key, ...columns].join(', ')} FROM ${table} WHERE session_id = ? ${beyond} ORDER BY ${keys}`,
  ).iterate(sessionId, ...after) as IterableIterator<Record<string, string | number>>;
  for (const row of rows) {
    yield {
      table,
      key: key.map((name) => row[name] as string | number),
      row: Object.fromEntries(columns.map((name) => [name, row[name] as string])),
    };
  }
}

function writeTexts(
  database: Database,
  { sessionId, version, texts }: Parameters<ReindexStore['write']>[0],
): void {
  const sessionKey = sessionKeyOf(database, sessionId);
  const last = texts.at(-1)?.text;
  if (sessionKey === undefined || !last) return;
  takeOverTerms(database, sessionKey);
  for (const { text, terms } of texts) {
    const { table, key } = text;
    if (!isUnchanged(database, sessionId, text)) continue;
    if (table === 'turns') {
      replaceTurnTerms(database, {
        sessionId,
        sessionKey,
        conversationId: String(key[0]),
        turnNumber: Number(key[1]),
        terms,
      });
    } else if (table === 'causal_events') {
      unindexEvent(database, sessionKey, Number(key[0]));
      insertEventTerms(database, sessionKey, Number(key[0]), terms);
    } else {
      indexFact(database, sessionId, sessionKey, Number(key[0]), terms);
    }
  }
  keep(database, sessionId, version, { phase: last.table, position: last.key });
}

/** A person may have corrected or forgotten it since it was read: then its entries are new already. */
function isUnchanged(database: Database, sessionId: string, { table, key, row }: IndexedText): boolean {
  if (table === 'turns') return true;
  const { key: names } = TABLES[table];
  const wanted = [...names, ...Object.keys(row)].map((name) => `${name} = ?`).join(' AND ');
  return (
    prepared(database, `SELECT 1 FROM ${table} WHERE session_id = ? AND ${wanted}`).get(
      sessionId,
      ...key,
      ...Object.values(row),
    ) !== undefined
  );
}

function sweep(
  database: Database,
  { sessionId, version, limit }: Parameters<ReindexStore['sweep']>[0],
): boolean {
  const sessionKey = sessionKeyOf(database, sessionId);
  if (sessionKey === undefined) return true;
  takeOverTerms(database, sessionKey);
  const { phase, position } = progressOf(database, sessionId, version);
  const after: Key = phase === 'sweep' && position.length > 0 ? position : ['', 0, 0];
  const rows = prepared(
    database,
    `SELECT term, conversation_ordinal, turn_number, version FROM turn_terms
      WHERE session_key = ? AND (term, conversation_ordinal, turn_number) > (?, ?, ?)
      ORDER BY term, conversation_ordinal, turn_number LIMIT +?`,
  )
    .raw()
    .all(sessionKey, ...after, limit) as [string, number, number, number][];
  const remove = prepared(
    database,
    'DELETE FROM turn_terms WHERE session_key = ? AND term = ? AND conversation_ordinal = ? AND turn_number = ?',
  );
  for (const [term, conversation, turn, made] of rows) {
    if (made !== version) remove.run(sessionKey, term, conversation, turn);
  }
  const last = rows.at(-1);
  if (last && rows.length === limit) {
    keep(database, sessionId, version, { phase: 'sweep', position: last.slice(0, 3) });
    return false;
  }
  prepared(database, 'UPDATE sessions SET analyser_version = ? WHERE session_id = ?').run(version, sessionId);
  prepared(database, 'DELETE FROM reindex_progress WHERE session_id = ?').run(sessionId);
  return true;
}

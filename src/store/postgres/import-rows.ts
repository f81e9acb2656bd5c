import { DatabaseError } from 'pg';
import { CccError } from '../../base/ccc-error.ts';
import { fromJson } from '../json-column.ts';
import type { ImportRow } from '../memory-dal.ts';
import type { NewJob, SessionRecord, TermCounts, TurnRecord } from '../records.ts';
import { EXPORT_TABLES, type ColumnKind, type ExportTable } from '../rows/export-tables.ts';
import {
  checkNumbering,
  importStatus,
  importValues,
  invalid,
  type ImportedConversations,
  type SqlValue,
} from '../rows/export-values.ts';
import { turnFromRow, type TurnRow } from '../rows/turn-rows.ts';
import { noteVersion } from './analyser-version.ts';
import { insertEventTerms } from './causal-terms.ts';
import { addToCounter } from './counters.ts';
import { indexFact } from './fact-rows.ts';
import { insertJobs } from './job-rows.ts';
import type { Queries } from './queries.ts';
import { eraseSession, getSession } from './sessions.ts';
import { insertTurnTerms } from './turn-index.ts';
import { insertTurnRows } from './turn-rows.ts';

/** An import of which nothing was heard for so long is cleared away by the next server that starts, in milliseconds. */
const ABANDONED_MS = 60 * 60_000;

/** integrity_constraint_violation and data_exception (PostgreSQL, appendix A, classes by their first two letters). */
const OF_THE_ROW = ['23', '22'];

const NOW_MS = `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

/**
 * An import writes into the real tables, batch by batch, under a session row with the status 'importing', which
 * every reader passes over. So a large import never holds a lock for long, and making it visible is one update.
 */
export async function importBatch(db: Queries, sessionId: string, rows: ImportRow[]): Promise<void> {
  let at = 0;
  while (at < rows.length) {
    const { table: name } = rows[at] as ImportRow;
    const table = EXPORT_TABLES.find((known) => known.table === name);
    if (!table) throw invalid(`An export has no table ${JSON.stringify(name)}.`, 'table');
    let end = at + 1;
    while (end < rows.length && rows[end]?.table === name) end += 1;
    // Rows of one table stand together: one statement for all of them.
    await importRows(db, sessionId, table, rows.slice(at, end));
    at = end;
  }
}

/** @throws session_not_found, invalid_request */
export async function importCommit(
  db: Queries,
  { sessionId, tokenHash, jobs, now }: { sessionId: string; tokenHash: string; jobs: NewJob[]; now: number },
): Promise<SessionRecord> {
  await requireImport(db, sessionId);
  const status = await db.value<string>(
    'DELETE FROM pending_imports WHERE session_id = $1 RETURNING status',
    sessionId,
  );
  await countImported(db, sessionId);
  await restoreCausalHead(db, sessionId);
  await db.run(
    'UPDATE sessions SET status = $2, token_hash = $3 WHERE session_id = $1',
    sessionId,
    status ?? 'active',
    tokenHash,
  );
  await insertJobs(db, sessionId, jobs, now);
  const session = await getSession(db, sessionId);
  if (!session) throw new CccError('internal_error');
  await addToCounter(db, 'sessions', 1);
  await addToCounter(db, 'conversations', session.conversationCount);
  await addToCounter(db, 'turns', session.totalTurns);
  return session;
}

export async function importAbort(db: Queries, sessionId: string): Promise<void> {
  if (await isImporting(db, sessionId)) await eraseSession(db, sessionId);
}

/** Removes imports that nobody brings to an end. Called when the record is opened. */
export async function discardAbandonedImports(db: Queries): Promise<void> {
  const rows = await db.all<{ session_id: string }>(
    `SELECT session_id FROM pending_imports WHERE touched_at < ${NOW_MS} - $1::bigint ORDER BY session_id`,
    ABANDONED_MS,
  );
  for (const row of rows) await importAbort(db, row.session_id);
}

async function importRows(
  db: Queries,
  sessionId: string,
  table: ExportTable,
  rows: ImportRow[],
): Promise<void> {
  try {
    if (table.table === 'sessions') {
      for (const row of rows) await beginImport(db, sessionId, table, row);
      return;
    }
    await requireImport(db, sessionId);
    const values = rows.map(({ row }) => importValues(table, row));
    if (table.table === 'turns') await importTurns(db, sessionId, values, rows);
    else await insert(db, sessionId, table, values);
    await indexRows(db, sessionId, table.table, rows);
  } catch (error) {
    // A row that repeats another, refers to nothing, or breaks a rule of its table: the export's fault, not ours.
    if (error instanceof DatabaseError && OF_THE_ROW.includes(error.code?.slice(0, 2) ?? '')) {
      throw new CccError('invalid_request', 'A row does not fit with the others.', {
        param: table.table,
        cause: error,
      });
    }
    throw error;
  }
}

async function beginImport(
  db: Queries,
  sessionId: string,
  table: ExportTable,
  { row }: ImportRow,
): Promise<void> {
  const known = await db.get('SELECT 1 FROM sessions WHERE session_id = $1', sessionId);
  if (known) throw new CccError('session_exists');
  const status = importStatus(sessionId, row);
  const values = importValues(table, { ...row, status: 'importing' });
  const names = Object.keys(values);
  const begun = await db.run(
    `INSERT INTO sessions (${names.join(', ')}) VALUES (${names.map((_, at) => `$${String(at + 1)}`).join(', ')})
     ON CONFLICT DO NOTHING`,
    ...Object.values(values),
  );
  if (begun === 0) throw new CccError('session_exists');
  await db.run(
    `INSERT INTO pending_imports (session_id, status, touched_at) VALUES ($1, $2, ${NOW_MS})`,
    sessionId,
    status,
  );
}

const TYPES: Record<ColumnKind, string> = {
  text: 'text',
  integer: 'bigint',
  real: 'double precision',
  time: 'bigint',
  json: 'text',
};

async function insert(
  db: Queries,
  sessionId: string,
  { table, columns }: ExportTable,
  rows: Record<string, SqlValue>[],
): Promise<void> {
  const names = Object.keys(columns);
  const arrays = Object.values(columns).map((kind, at) => `$${String(at + 2)}::${TYPES[kind]}[]`);
  await db.run(
    `INSERT INTO ${table} (session_id, ${names.join(', ')}) SELECT $1, * FROM unnest(${arrays.join(', ')})`,
    sessionId,
    ...names.map((name) => rows.map((row) => row[name] ?? null)),
  );
}

async function importTurns(
  db: Queries,
  sessionId: string,
  values: Record<string, SqlValue>[],
  rows: ImportRow[],
): Promise<void> {
  const turns = values.map((value, at): TurnRecord & { terms: TermCounts } => {
    const terms = rows[at]?.terms;
    if (!terms) throw invalid('A turn has to bring its index entries.', 'turns.terms');
    const { metadata } = value;
    if (typeof metadata !== 'string') throw invalid('An object was expected.', 'turns.metadata');
    const row = { ...value, session_id: sessionId, metadata } as unknown as TurnRow;
    return { ...turnFromRow(row), metadata: fromJson(metadata), terms };
  });
  await insertTurnRows(db, sessionId, turns);
  const conversations = await db.all<{ conversation_id: string; ordinal: number }>(
    `UPDATE conversations c SET turn_count = greatest(c.turn_count, brought.newest)
       FROM (SELECT id, max(number) AS newest FROM unnest($2::text[], $3::bigint[]) AS turn (id, number) GROUP BY id) AS brought
      WHERE c.session_id = $1 AND c.conversation_id = brought.id RETURNING c.conversation_id, c.ordinal`,
    sessionId,
    turns.map(({ conversationId }) => conversationId),
    turns.map(({ turnNumber }) => turnNumber),
  );
  const ordinals = new Map(conversations.map((row) => [row.conversation_id, row.ordinal]));
  await insertTurnTerms(
    db,
    sessionId,
    turns.map(({ conversationId, turnNumber, timestamp, speaker, agent, terms }) => ({
      conversationOrdinal: ordinals.get(conversationId) ?? 0,
      turnNumber,
      timestamp,
      speaker: speaker ?? agent,
      terms,
    })),
  );
}

async function indexRows(db: Queries, sessionId: string, table: string, rows: ImportRow[]): Promise<void> {
  const versions = new Map(rows.flatMap(({ terms }) => (terms ? [[terms.version ?? 1, terms]] : [])));
  for (const terms of versions.values()) await noteVersion(db, sessionId, terms);
  for (const { row, terms } of rows) {
    if (table === 'causal_events') {
      if (!terms) throw invalid('An event has to bring its index entries.', 'causal_events.terms');
      await insertEventTerms(db, sessionId, [{ eventNo: Number(row['event_no']), terms }]);
    }
    if (table === 'facts') {
      if (!terms) throw invalid('A fact has to bring its index entries.', 'facts.terms');
      await indexFact(db, sessionId, Number(row['fact_no']), terms);
    }
  }
}

/** Sets the session's counters from its rows. */
async function countImported(db: Queries, sessionId: string): Promise<void> {
  const conversations = (await db.get<ImportedConversations>(
    `SELECT count(*) AS count, coalesce(max(ordinal), 0) AS newest,
            coalesce(sum(removed_turns), 0)::bigint AS "removedTurns",
            (SELECT coalesce(removed_conversations, 0) FROM sessions WHERE session_id = $1) AS removed
       FROM conversations WHERE session_id = $1`,
    sessionId,
  )) as ImportedConversations;
  const gaps = await db.value<number>(
    `SELECT count(*) FROM conversations c WHERE session_id = $1 AND turn_count > coalesce(removed_turns, 0) +
       (SELECT count(*) FROM turns t WHERE t.session_id = c.session_id AND t.conversation_id = c.conversation_id)`,
    sessionId,
  );
  checkNumbering(conversations, gaps ?? 0);
  await db.run(
    `UPDATE conversations c SET turn_count = coalesce(removed_turns, 0) +
       (SELECT count(*) FROM turns t WHERE t.session_id = c.session_id AND t.conversation_id = c.conversation_id)
      WHERE session_id = $1`,
    sessionId,
  );
  await db.run(
    `UPDATE sessions s SET conversation_count = $2, total_turns = (
       SELECT coalesce(sum(turn_count - coalesce(removed_turns, 0)), 0)::bigint FROM conversations c
        WHERE c.session_id = s.session_id)
      WHERE session_id = $1`,
    sessionId,
    conversations.count + conversations.removed,
  );
}

/** The head of a session's causal memory, from its rows: the next change and the next event go on from there. */
async function restoreCausalHead(db: Queries, sessionId: string): Promise<void> {
  await db.run(
    `INSERT INTO causal_heads (session_id, change_seq, last_event_no)
     SELECT $1, max(changes), max(numbers) FROM (
       SELECT max(change_seq) AS changes, max(event_no) AS numbers FROM causal_events WHERE session_id = $1
       UNION ALL SELECT max(change_seq), 0 FROM causal_links WHERE session_id = $1
       UNION ALL SELECT max(change_seq), max(cause_no) FROM causal_removals WHERE session_id = $1) AS row
     WHERE changes IS NOT NULL HAVING max(changes) > 0`,
    sessionId,
  );
}

/** Takes the lock of a session that is being imported, and notes that its import goes on. @throws session_not_found */
async function requireImport(db: Queries, sessionId: string): Promise<void> {
  if (!(await isImporting(db, sessionId))) {
    throw new CccError('session_not_found', 'No import of this session has begun.');
  }
  await db.run(`UPDATE pending_imports SET touched_at = ${NOW_MS} WHERE session_id = $1`, sessionId);
}

async function isImporting(db: Queries, sessionId: string): Promise<boolean> {
  const row = await db.get(
    `SELECT 1 FROM sessions WHERE session_id = $1 AND status = 'importing' FOR NO KEY UPDATE`,
    sessionId,
  );
  return row !== undefined;
}

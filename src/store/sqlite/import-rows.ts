import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import type { ImportRow } from '../memory-dal.ts';
import type { NewJob, SessionRecord, TermCounts } from '../records.ts';
import { EXPORT_TABLES, type ExportTable } from '../rows/export-tables.ts';
import {
  checkNumbering,
  importStatus,
  importValues,
  invalid,
  type ImportedConversations,
} from '../rows/export-values.ts';
import { noteVersion } from './analyser-version.ts';
import { indexEvent } from './causal-rows.ts';
import { prepared } from './connection.ts';
import { addToCounter } from './counters.ts';
import { asCccError } from './error-crossing.ts';
import { indexFact } from './fact-rows.ts';
import { insertJobs } from './job-rows.ts';
import { eraseSession, getSession } from './sessions.ts';
import { insertTurnTerms } from './turn-index.ts';

/**
 * An import writes into the real tables, batch by batch, under a session row with the status 'importing', which
 * every reader passes over. So a large import never holds the writer for long, and making it visible is one update.
 */
export function importBatch(database: Database, sessionId: string, rows: ImportRow[]): void {
  for (const row of rows) {
    const table = EXPORT_TABLES.find((known) => known.table === row.table);
    if (!table) throw invalid(`An export has no table ${JSON.stringify(row.table)}.`, 'table');
    if (table.table === 'sessions') beginImport(database, sessionId, table, row);
    else importRow(database, sessionId, requireImport(database, sessionId), table, row);
  }
}

/** @throws session_not_found, invalid_request */
export function importCommit(
  database: Database,
  { sessionId, tokenHash, jobs, now }: { sessionId: string; tokenHash: string; jobs: NewJob[]; now: number },
): SessionRecord {
  requireImport(database, sessionId);
  const status = prepared(database, 'SELECT status FROM pending_imports WHERE session_id = ?')
    .pluck()
    .get(sessionId) as string;
  countImported(database, sessionId);
  restoreCausalHead(database, sessionId);
  prepared(database, 'UPDATE sessions SET status = ?, token_hash = ? WHERE session_id = ?').run(
    status,
    tokenHash,
    sessionId,
  );
  prepared(database, 'DELETE FROM pending_imports WHERE session_id = ?').run(sessionId);
  insertJobs(database, sessionId, jobs, now);
  const session = getSession(database, sessionId);
  if (!session) throw new CccError('internal_error');
  addToCounter(database, 'sessions', 1);
  addToCounter(database, 'conversations', session.conversationCount);
  addToCounter(database, 'turns', session.totalTurns);
  return session;
}

export function importAbort(database: Database, sessionId: string): void {
  if (findImport(database, sessionId) !== null) eraseSession(database, sessionId);
}

/** Removes imports that were never finished. Called when the record is opened. */
export function discardAbandonedImports(database: Database): void {
  const ids = database
    .prepare(`SELECT session_id FROM sessions WHERE status = 'importing'`)
    .pluck()
    .all() as string[];
  for (const id of ids) eraseSession(database, id);
}

function beginImport(database: Database, sessionId: string, table: ExportTable, { row }: ImportRow): void {
  if (prepared(database, 'SELECT 1 FROM sessions WHERE session_id = ?').get(sessionId)) {
    throw new CccError('session_exists');
  }
  const status = importStatus(sessionId, row);
  const values = importValues(table, { ...row, status: 'importing' });
  insert(database, 'sessions', {
    session_key: addToCounter(database, 'last_session_key', 1),
    ...values,
  });
  prepared(database, 'INSERT INTO pending_imports (session_id, status) VALUES (?, ?)').run(sessionId, status);
}

function importRow(
  database: Database,
  sessionId: string,
  sessionKey: number,
  table: ExportTable,
  { row, terms }: ImportRow,
): void {
  insert(database, table.table, { session_id: sessionId, ...importValues(table, row) });
  if (terms) noteVersion(database, sessionKey, terms);
  if (table.table === 'turns') indexImportedTurn(database, sessionId, sessionKey, row, terms);
  if (table.table === 'causal_events') {
    if (!terms) throw invalid('An event has to bring its index entries.', 'causal_events.terms');
    indexEvent(database, sessionKey, Number(row['event_no']), terms);
  }
  if (table.table === 'facts') {
    if (!terms) throw invalid('A fact has to bring its index entries.', 'facts.terms');
    indexFact(database, sessionId, sessionKey, Number(row['fact_no']), terms);
  }
}

function indexImportedTurn(
  database: Database,
  sessionId: string,
  sessionKey: number,
  row: ImportRow['row'],
  terms: TermCounts | undefined,
): void {
  if (!terms) throw invalid('A turn has to bring its index entries.', 'turns.terms');
  const turnNumber = Number(row['turn_number']);
  const ordinal = prepared(
    database,
    `UPDATE conversations SET turn_count = max(turn_count, ?)
      WHERE session_id = ? AND conversation_id = ? RETURNING ordinal`,
  )
    .pluck()
    .get(turnNumber, sessionId, row['conversation_id']) as number;
  insertTurnTerms(database, {
    sessionKey,
    conversationOrdinal: ordinal,
    turnNumber,
    timestamp: Date.parse(String(row['timestamp'])),
    speaker: String(row['speaker'] ?? row['agent']),
    terms,
  });
}

/** Sets the session's counters from its rows, and refuses numbers with holes in them that nobody accounts for. */
function countImported(database: Database, sessionId: string): void {
  const conversations = prepared(
    database,
    `SELECT count(*) AS count, coalesce(max(ordinal), 0) AS newest, coalesce(sum(removed_turns), 0) AS removedTurns,
            (SELECT coalesce(removed_conversations, 0) FROM sessions WHERE session_id = @sessionId) AS removed
       FROM conversations WHERE session_id = @sessionId`,
  ).get({ sessionId }) as ImportedConversations;
  const gaps = prepared(
    database,
    `SELECT count(*) FROM conversations c WHERE session_id = ? AND turn_count > coalesce(removed_turns, 0) +
       (SELECT count(*) FROM turns t WHERE t.session_id = c.session_id AND t.conversation_id = c.conversation_id)`,
  )
    .pluck()
    .get(sessionId) as number;
  checkNumbering(conversations, gaps);
  const { count, removed } = conversations;
  prepared(
    database,
    `UPDATE conversations SET turn_count = coalesce(removed_turns, 0) +
       (SELECT count(*) FROM turns t
         WHERE t.session_id = conversations.session_id AND t.conversation_id = conversations.conversation_id)
      WHERE session_id = ?`,
  ).run(sessionId);
  prepared(
    database,
    `UPDATE sessions SET conversation_count = ?, total_turns = (
       SELECT coalesce(sum(turn_count - coalesce(removed_turns, 0)), 0) FROM conversations
        WHERE session_id = sessions.session_id)
      WHERE session_id = ?`,
  ).run(count + removed, sessionId);
}

function insert(database: Database, table: string, values: Record<string, string | number | null>): void {
  const names = Object.keys(values);
  const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  try {
    prepared(database, sql).run(...Object.values(values));
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // A row that repeats another, refers to nothing, or breaks a rule of its table: the export's fault, not ours.
    if (typeof code === 'string' && code.startsWith('SQLITE_CONSTRAINT')) {
      throw new CccError('invalid_request', 'A row does not fit with the others.', {
        param: table,
        cause: error,
      });
    }
    throw asCccError(error);
  }
}

function findImport(database: Database, sessionId: string): number | null {
  const key = prepared(
    database,
    `SELECT session_key FROM sessions WHERE session_id = ? AND status = 'importing'`,
  )
    .pluck()
    .get(sessionId) as number | undefined;
  return key ?? null;
}

function requireImport(database: Database, sessionId: string): number {
  const key = findImport(database, sessionId);
  if (key === null) throw new CccError('session_not_found', 'No import of this session has begun.');
  return key;
}

/** The head of a session's causal memory, from its rows: the next change and the next event go on from there. */
function restoreCausalHead(database: Database, sessionId: string): void {
  prepared(
    database,
    `INSERT INTO causal_heads (session_id, change_seq, last_event_no)
     SELECT @sessionId, max(changes), max(numbers) FROM (
       SELECT max(change_seq) AS changes, max(event_no) AS numbers FROM causal_events WHERE session_id = @sessionId
       UNION ALL SELECT max(change_seq), 0 FROM causal_links WHERE session_id = @sessionId
       UNION ALL SELECT max(change_seq), max(cause_no) FROM causal_removals WHERE session_id = @sessionId)
     WHERE changes IS NOT NULL HAVING max(changes) > 0`,
  ).run({ sessionId });
}

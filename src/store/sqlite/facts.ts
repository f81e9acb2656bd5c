import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import type { FactRecord, FactStore, FactVersion, NewFact } from '../fact-store.ts';
import { noteVersion } from './analyser-version.ts';
import { prepared } from './connection.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import { correctedFact, factFromRow, isCorrection, keyOf, type FactRow } from '../rows/fact-rows.ts';
import { findFact, indexFact, insertFact, readFact, removeFactTerms } from './fact-rows.ts';
import { outdatedTurns, searchFacts } from './fact-search.ts';
import { endFacts, sameFact, settleLine } from './fact-timeline.ts';
import { insertJobs } from './job-rows.ts';
import type { StoreModule } from './store-module.ts';
import { requireSession } from './turn-rows.ts';

/** Nothing of a session that is still being imported is shown. */
const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = @sessionId AND status <> 'importing')`;

export const factsModule: StoreModule<FactStore> = {
  writes: ['add', 'correct', 'forget'],
  erases: ['forget'],
  create: (database) => ({
    list: ({ sessionId, current, limit, cursor }) => {
      const [before] = cursor === null ? [Number.MAX_SAFE_INTEGER] : decodeCursor(cursor, ['number']);
      const rows = prepared(
        database,
        `SELECT * FROM facts WHERE session_id = @sessionId AND ${SHOWN} AND fact_no < @before
            AND (@current = 0 OR valid_until IS NULL) ORDER BY fact_no DESC LIMIT +@limit`,
      ).all({ sessionId, before, current: Number(current), limit: limit + 1 }) as FactRow[];
      return pageOf(rows, limit, factFromRow, (row) => encodeCursor([row.fact_no]));
    },
    get: (sessionId, factId) => {
      const row = findFact(database, sessionId, factId);
      return row ? factFromRow(row) : null;
    },
    versions: (sessionId, factId) => {
      const row = findFact(database, sessionId, factId);
      if (!row) return [];
      return prepared(
        database,
        `SELECT version, subject, attribute, value, text, valid_from AS validFrom, ended_at AS endedAt,
           author, until FROM fact_versions
          WHERE session_id = ? AND fact_no = ? ORDER BY version DESC`,
      ).all(sessionId, row.fact_no) as FactVersion[];
    },
    pinned: (sessionId, limit) =>
      (
        prepared(
          database,
          `SELECT * FROM facts WHERE session_id = @sessionId AND ${SHOWN} AND pinned = 1 AND valid_until IS NULL
            ORDER BY fact_no LIMIT +@limit`,
        ).all({ sessionId, limit }) as FactRow[]
      ).map(factFromRow),
    search: (input) => searchFacts(database, input),
    outdatedTurns: (sessionId, turnIds) => outdatedTurns(database, sessionId, turnIds),
    progress: (sessionId, conversationId) => readProgress(database, sessionId, conversationId),
    add: (input) => addFacts(database, input),
    correct: (input) => correctFact(database, input),
    forget: (sessionId, factId) => forgetFact(database, sessionId, factId),
  }),
};

function readProgress(database: Database, sessionId: string, conversationId: string): number {
  const through = prepared(
    database,
    'SELECT through_turn FROM fact_progress WHERE session_id = ? AND conversation_id = ?',
  )
    .pluck()
    .get(sessionId, conversationId) as number | undefined;
  return through ?? 0;
}

function addFacts(database: Database, input: Parameters<FactStore['add']>[0]): FactRecord[] {
  const { sessionId, facts, endings, progress, jobs, now } = input;
  const { sessionKey } = requireSession(database, sessionId);
  if (progress) {
    // The same turns were read by a twin that was thought dead: what they tell is noted already.
    if (readProgress(database, sessionId, progress.conversationId) !== progress.from) return [];
    advance(database, sessionId, progress);
  }
  for (const ending of endings) endFacts(database, sessionId, ending, now);
  const stored = facts.map((fact) => addFact(database, sessionId, sessionKey, fact, now));
  insertJobs(database, sessionId, jobs, now);
  const numbers = new Set(stored.flatMap((row) => (row ? [row.fact_no] : [])));
  // Read at the end: one of them may have closed another.
  return [...numbers].map((number) => factFromRow(readFact(database, sessionId, number)));
}

/** The new row; of a fact that is known already, null, and for the person that row. */
function addFact(
  database: Database,
  sessionId: string,
  sessionKey: number,
  fact: NewFact,
  now: number,
): FactRow | null {
  const known = sameFact(database, sessionId, fact, fact.validFrom);
  if (known && fact.author !== 'person') return null;
  if (known) {
    if (fact.pinned) {
      prepared(
        database,
        'UPDATE facts SET pinned = 1, updated_at = ? WHERE session_id = ? AND fact_no = ?',
      ).run(now, sessionId, known.fact_no);
    }
    return known;
  }
  noteVersion(database, sessionKey, fact.terms);
  const row = insertFact(database, sessionId, sessionKey, fact, now);
  settleLine(database, sessionId, keyOf(row));
  return row;
}

function advance(
  database: Database,
  sessionId: string,
  { conversationId, through }: { conversationId: string; through: number },
): void {
  const known = prepared(
    database,
    'SELECT 1 FROM conversations WHERE session_id = ? AND conversation_id = ?',
  ).get(sessionId, conversationId);
  if (!known) throw new CccError('conversation_not_found');
  prepared(
    database,
    `INSERT INTO fact_progress (session_id, conversation_id, through_turn) VALUES (?, ?, ?)
     ON CONFLICT (session_id, conversation_id) DO UPDATE SET through_turn = excluded.through_turn`,
  ).run(sessionId, conversationId, through);
}

function correctFact(
  database: Database,
  { sessionId, factId, expectedVersion, changes, now }: Parameters<FactStore['correct']>[0],
): FactRecord | null {
  const { sessionKey } = requireSession(database, sessionId);
  const row = findFact(database, sessionId, factId);
  if (!row) return null;
  if (expectedVersion !== undefined && expectedVersion !== row.version) {
    throw new CccError('version_conflict', undefined, { param: 'expected_version' });
  }
  const after = correctedFact(row, changes, now);
  const corrected = isCorrection(changes);
  if (corrected) keepVersion(database, row, now);
  prepared(
    database,
    `UPDATE facts SET subject = @subject, attribute = @attribute, value = @value, text = @text,
       subject_key = @subject_key, attribute_key = @attribute_key, value_key = @value_key, exclusive = @exclusive,
       valid_from = @valid_from, ended_at = @ended_at, pinned = @pinned, author = @author, version = @version,
       updated_at = @updated_at
     WHERE session_id = @session_id AND fact_no = @fact_no`,
  ).run(after);
  if (changes.words) indexFact(database, sessionId, sessionKey, row.fact_no, changes.words.terms);
  if (corrected || changes.pinned === true) {
    settleLine(database, sessionId, keyOf(row));
    settleLine(database, sessionId, keyOf(after));
  }
  return factFromRow(readFact(database, sessionId, row.fact_no));
}

function keepVersion(database: Database, row: FactRow, now: number): void {
  prepared(
    database,
    `INSERT INTO fact_versions (session_id, fact_no, version, subject, attribute, value, text, valid_from, ended_at,
       author, until)
     VALUES (@session_id, @fact_no, @version, @subject, @attribute, @value, @text, @valid_from, @ended_at, @author, @now)`,
  ).run({ ...row, now });
}

/** Erases a fact with its versions and index entries. False when there was none. */
export function forgetFact(database: Database, sessionId: string, factId: string): boolean {
  const row = findFact(database, sessionId, factId);
  if (!row) return false;
  const { sessionKey } = requireSession(database, sessionId);
  // What it had closed stays closed: that it is so no more is still known, only not what took its place.
  prepared(
    database,
    `UPDATE facts SET ended_at = valid_until WHERE session_id = ? AND superseded_by = ?`,
  ).run(sessionId, factId);
  removeFactTerms(database, sessionKey, row.fact_no);
  prepared(database, 'DELETE FROM facts WHERE session_id = ? AND fact_no = ?').run(sessionId, row.fact_no);
  settleLine(database, sessionId, keyOf(row));
  return true;
}

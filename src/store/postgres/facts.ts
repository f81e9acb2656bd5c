import { CccError } from '../../base/ccc-error.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import type { FactRecord, FactStore, FactVersion, NewFact } from '../fact-store.ts';
import { correctedFact, factFromRow, isCorrection, keyOf, type FactRow } from '../rows/fact-rows.ts';
import { noteVersion } from './analyser-version.ts';
import { findFact, indexFact, insertFact, readFacts, removeFactTerms } from './fact-rows.ts';
import { outdatedTurns, searchFacts } from './fact-search.ts';
import { endFacts, sameFact, settleLine } from './fact-timeline.ts';
import { insertJobs } from './job-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere, lockSession } from './session-lock.ts';

/** Nothing of a session that is still being imported is shown. */
const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = $1 AND status <> 'importing')`;

export const factsModule: PostgresModule<FactStore> = {
  writes: ['add', 'correct', 'forget'],
  snapshots: ['search'],
  create: (db) => ({
    async list({ sessionId, current, limit, cursor }) {
      const [before] = cursor === null ? [Number.MAX_SAFE_INTEGER] : decodeCursor(cursor, ['number']);
      const rows = await db.all<FactRow>(
        `SELECT * FROM facts WHERE session_id = $1 AND ${SHOWN} AND fact_no < $2
            AND (NOT $3::boolean OR valid_until IS NULL) ORDER BY fact_no DESC LIMIT $4`,
        sessionId,
        before,
        current,
        limit + 1,
      );
      return pageOf(rows, limit, factFromRow, (row) => encodeCursor([row.fact_no]));
    },
    async get(sessionId, factId) {
      const row = await findFact(db, sessionId, factId);
      return row ? factFromRow(row) : null;
    },
    async versions(sessionId, factId) {
      const row = await findFact(db, sessionId, factId);
      if (!row) return [];
      return db.all<FactVersion>(
        `SELECT version, subject, attribute, value, text, valid_from AS "validFrom", ended_at AS "endedAt",
           author, until FROM fact_versions
          WHERE session_id = $1 AND fact_no = $2 ORDER BY version DESC`,
        sessionId,
        row.fact_no,
      );
    },
    async pinned(sessionId, limit) {
      const rows = await db.all<FactRow>(
        `SELECT * FROM facts WHERE session_id = $1 AND ${SHOWN} AND pinned = 1 AND valid_until IS NULL
          ORDER BY fact_no LIMIT $2`,
        sessionId,
        limit,
      );
      return rows.map(factFromRow);
    },
    search: (input) => searchFacts(db, input),
    outdatedTurns: (sessionId, turnIds) => outdatedTurns(db, sessionId, turnIds),
    progress: (sessionId, conversationId) => readProgress(db, sessionId, conversationId),
    add: (input) => addFacts(db, input),
    correct: (input) => correctFact(db, input),
    async forget(sessionId, factId) {
      return (await lockIfThere(db, sessionId)) && forgetFact(db, sessionId, factId);
    },
  }),
};

async function readProgress(db: Queries, sessionId: string, conversationId: string): Promise<number> {
  const through = await db.value<number>(
    'SELECT through_turn FROM fact_progress WHERE session_id = $1 AND conversation_id = $2',
    sessionId,
    conversationId,
  );
  return through ?? 0;
}

async function addFacts(db: Queries, input: Parameters<FactStore['add']>[0]): Promise<FactRecord[]> {
  const { sessionId, facts, endings, progress, jobs, now } = input;
  await lockSession(db, sessionId);
  if (progress) {
    // The same turns were read by a twin that was thought dead: what they tell is noted already.
    if ((await readProgress(db, sessionId, progress.conversationId)) !== progress.from) return [];
    await advance(db, sessionId, progress);
  }
  for (const ending of endings) await endFacts(db, sessionId, ending, now);
  const numbers = new Set<number>();
  for (const fact of facts) {
    const row = await addFact(db, sessionId, fact, now);
    if (row) numbers.add(row.fact_no);
  }
  await insertJobs(db, sessionId, jobs, now);
  // Read at the end: one of them may have closed another.
  const stored = await readFacts(db, sessionId, [...numbers]);
  return [...numbers].map((number) => factFromRow(stored.get(number) as FactRow));
}

/** The new row; of a fact that is known already, null, and for the person that row. */
async function addFact(db: Queries, sessionId: string, fact: NewFact, now: number): Promise<FactRow | null> {
  const known = await sameFact(db, sessionId, fact, fact.validFrom);
  if (known && fact.author !== 'person') return null;
  if (known) {
    if (fact.pinned) {
      await db.run(
        'UPDATE facts SET pinned = 1, updated_at = $3 WHERE session_id = $1 AND fact_no = $2',
        sessionId,
        known.fact_no,
        now,
      );
    }
    return known;
  }
  await noteVersion(db, sessionId, fact.terms);
  const row = await insertFact(db, sessionId, fact, now);
  await settleLine(db, sessionId, keyOf(row));
  return row;
}

async function advance(
  db: Queries,
  sessionId: string,
  { conversationId, through }: { conversationId: string; through: number },
): Promise<void> {
  const known = await db.get(
    'SELECT 1 FROM conversations WHERE session_id = $1 AND conversation_id = $2',
    sessionId,
    conversationId,
  );
  if (!known) throw new CccError('conversation_not_found');
  await db.run(
    `INSERT INTO fact_progress (session_id, conversation_id, through_turn) VALUES ($1, $2, $3)
     ON CONFLICT (session_id, conversation_id) DO UPDATE SET through_turn = excluded.through_turn`,
    sessionId,
    conversationId,
    through,
  );
}

async function correctFact(
  db: Queries,
  { sessionId, factId, expectedVersion, changes, now }: Parameters<FactStore['correct']>[0],
): Promise<FactRecord | null> {
  await lockSession(db, sessionId);
  const row = await findFact(db, sessionId, factId);
  if (!row) return null;
  if (expectedVersion !== undefined && expectedVersion !== row.version) {
    throw new CccError('version_conflict', undefined, { param: 'expected_version' });
  }
  const after = correctedFact(row, changes, now);
  const corrected = isCorrection(changes);
  if (corrected) await keepVersion(db, row, now);
  await db.run(
    `UPDATE facts SET subject = $3, attribute = $4, value = $5, text = $6, subject_key = $7, attribute_key = $8,
       value_key = $9, exclusive = $10, valid_from = $11, ended_at = $12, pinned = $13, author = $14, version = $15,
       updated_at = $16
     WHERE session_id = $1 AND fact_no = $2`,
    sessionId,
    after.fact_no,
    after.subject,
    after.attribute,
    after.value,
    after.text,
    after.subject_key,
    after.attribute_key,
    after.value_key,
    after.exclusive,
    after.valid_from,
    after.ended_at,
    after.pinned,
    after.author,
    after.version,
    after.updated_at,
  );
  if (changes.words) await indexFact(db, sessionId, row.fact_no, changes.words.terms);
  if (corrected || changes.pinned === true) {
    await settleLine(db, sessionId, keyOf(row));
    await settleLine(db, sessionId, keyOf(after));
  }
  const stored = await readFacts(db, sessionId, [row.fact_no]);
  return factFromRow(stored.get(row.fact_no) as FactRow);
}

async function keepVersion(db: Queries, row: FactRow, now: number): Promise<void> {
  await db.run(
    `INSERT INTO fact_versions (session_id, fact_no, version, subject, attribute, value, text, valid_from, ended_at,
       author, until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    row.session_id,
    row.fact_no,
    row.version,
    row.subject,
    row.attribute,
    row.value,
    row.text,
    row.valid_from,
    row.ended_at,
    row.author,
    now,
  );
}

/** Erases a fact with its versions and index entries, for whoever has the session's lock. False when there was none. */
export async function forgetFact(db: Queries, sessionId: string, factId: string): Promise<boolean> {
  const row = await findFact(db, sessionId, factId);
  if (!row) return false;
  // What it had closed stays closed: that it is so no more is still known, only not what took its place.
  await db.run(
    `UPDATE facts SET ended_at = valid_until WHERE session_id = $1 AND superseded_by = $2`,
    sessionId,
    factId,
  );
  await removeFactTerms(db, sessionId, row.fact_no);
  await db.run('DELETE FROM facts WHERE session_id = $1 AND fact_no = $2', sessionId, row.fact_no);
  await settleLine(db, sessionId, keyOf(row));
  return true;
}

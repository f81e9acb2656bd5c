import type { Leftovers } from '../retention-store.ts';
import { addToCounter } from './counters.ts';
import { forgetFact } from './facts.ts';
import type { Queries } from './queries.ts';
import { withoutCycle } from '../rows/lesson-rows.ts';
import { removeSessionSummaries } from './retention-turns.ts';
import { lockIfThere } from './session-lock.ts';
import { removeSpeakers, unusedSpeakers } from './turn-blocks.ts';

/** The turn that a row comes from is gone. */
const withoutTurn = (column: string) =>
  `NOT EXISTS (SELECT 1 FROM turns t WHERE t.session_id = $1 AND t.turn_id = ${column})`;

export async function leftovers(
  db: Queries,
  sessionId: string,
  before: number,
  limit: number,
): Promise<Leftovers> {
  // Each statement has all three parameters, also those that have no use for one.
  const rows = <T extends object>(sql: string): Promise<T[]> =>
    db.all<T>(`${sql} AND $2::bigint IS NOT NULL LIMIT $3`, sessionId, before, limit);
  const ids = async (sql: string): Promise<string[]> => (await rows<{ id: string }>(sql)).map(({ id }) => id);
  const versions = async (sql: string): Promise<[number, number][]> =>
    (await rows<{ no: number; version: number }>(sql)).map(({ no, version }) => [no, version]);
  return {
    cycles: await ids(
      `SELECT cycle_id AS id FROM cycles WHERE session_id = $1 AND created_at < $2 AND updated_at < $2`,
    ),
    facts: await ids(
      `SELECT fact_id AS id FROM facts
        WHERE session_id = $1 AND source_turn_id IS NOT NULL AND pinned = 0 AND author <> 'person'
          AND ${withoutTurn('source_turn_id')}`,
    ),
    summaries: await rows(
      `SELECT scope, version FROM context_summaries
        WHERE session_id = $1 AND author <> 'person' AND first_turn_id IS NOT NULL
          AND ${withoutTurn('first_turn_id')}`,
    ),
    idempotencyKeys: await ids(
      `SELECT key AS id FROM idempotency_keys k WHERE session_id = $1 AND (created_at < $2 OR NOT EXISTS (
         SELECT 1 FROM turns t WHERE t.session_id = k.session_id AND t.conversation_id = k.conversation_id
            AND t.turn_number = k.first_turn_number))`,
    ),
    factVersions: await versions(
      'SELECT fact_no AS no, version FROM fact_versions WHERE session_id = $1 AND until < $2',
    ),
    lessonVersions: await versions(
      'SELECT lesson_no AS no, version FROM lesson_versions WHERE session_id = $1 AND until < $2',
    ),
    jobs: await ids(
      `SELECT job_id AS id FROM jobs WHERE session_id = $1 AND state = 'failed' AND created_at < $2`,
    ),
    conversations: await ids(
      `SELECT conversation_id AS id FROM conversations c WHERE session_id = $1
          AND turn_count = coalesce(removed_turns, 0) AND last_active < $2
          AND NOT EXISTS (SELECT 1 FROM cycles y WHERE y.session_id = c.session_id
            AND y.conversation_id = c.conversation_id AND y.updated_at >= $2)`,
    ),
    speakers: (await unusedSpeakers(db, sessionId)).slice(0, limit),
  };
}

export async function removeLeftovers(db: Queries, sessionId: string, left: Leftovers): Promise<void> {
  if (!(await lockIfThere(db, sessionId))) return;
  for (const cycleId of left.cycles) await removeCycle(db, sessionId, cycleId);
  for (const factId of left.facts) await forgetFact(db, sessionId, factId);
  if (left.summaries.length > 0) {
    await removePairs(
      db,
      'DELETE FROM context_summaries r USING unnest($2::text[], $3::bigint[]) AS old (scope, version) WHERE r.session_id = $1 AND r.scope = old.scope AND r.version = old.version',
      sessionId,
      left.summaries.map(({ scope, version }) => [scope, version]),
    );
    await removeSessionSummaries(db, sessionId);
  }
  await db.run(
    'DELETE FROM idempotency_keys WHERE session_id = $1 AND key = ANY($2::text[])',
    sessionId,
    left.idempotencyKeys,
  );
  await removePairs(
    db,
    'DELETE FROM fact_versions r USING unnest($2::bigint[], $3::bigint[]) AS old (no, version) WHERE r.session_id = $1 AND r.fact_no = old.no AND r.version = old.version',
    sessionId,
    left.factVersions,
  );
  await removePairs(
    db,
    'DELETE FROM lesson_versions r USING unnest($2::bigint[], $3::bigint[]) AS old (no, version) WHERE r.session_id = $1 AND r.lesson_no = old.no AND r.version = old.version',
    sessionId,
    left.lessonVersions,
  );
  await db.run('DELETE FROM jobs WHERE session_id = $1 AND job_id = ANY($2::text[])', sessionId, left.jobs);
  for (const id of left.conversations) await removeConversation(db, sessionId, id);
  await removeSpeakers(db, sessionId, left.speakers);
}

async function removePairs(
  db: Queries,
  sql: string,
  sessionId: string,
  pairs: readonly (readonly [string | number, number])[],
): Promise<void> {
  if (pairs.length === 0) return;
  await db.run(
    sql,
    sessionId,
    pairs.map(([first]) => first),
    pairs.map(([, version]) => version),
  );
}

/** With all that it kept of its work, and out of the evidence of lessons, which outlive it. */
async function removeCycle(db: Queries, sessionId: string, cycleId: string): Promise<void> {
  const lessons = await db.all<{ lesson_no: number; evidence: string }>(
    'SELECT lesson_no, evidence FROM lessons WHERE session_id = $1 AND strpos(evidence, $2) > 0',
    sessionId,
    cycleId,
  );
  for (const { lesson_no: lessonNo, evidence } of lessons) {
    await db.run(
      'UPDATE lessons SET evidence = $3 WHERE session_id = $1 AND lesson_no = $2',
      sessionId,
      lessonNo,
      withoutCycle(evidence, cycleId),
    );
  }
  await db.run('DELETE FROM cycles WHERE session_id = $1 AND cycle_id = $2', sessionId, cycleId);
}

/** Unless somebody has said something in it meanwhile. Its ordinal is not given again. */
async function removeConversation(db: Queries, sessionId: string, conversationId: string): Promise<void> {
  const ordinal = await db.value<number>(
    `DELETE FROM conversations WHERE session_id = $1 AND conversation_id = $2
        AND turn_count = coalesce(removed_turns, 0) RETURNING ordinal`,
    sessionId,
    conversationId,
  );
  if (ordinal === undefined) return;
  await db.run(
    `UPDATE sessions SET removed_conversations = coalesce(removed_conversations, 0) + 1 WHERE session_id = $1`,
    sessionId,
  );
  await addToCounter(db, 'conversations', -1);
  await db.run(
    'DELETE FROM turn_index_blocks WHERE session_id = $1 AND conversation_ordinal = $2',
    sessionId,
    ordinal,
  );
}

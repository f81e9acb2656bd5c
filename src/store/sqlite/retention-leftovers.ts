import type { Database } from 'better-sqlite3';
import type { Leftovers } from '../retention-store.ts';
import { withoutCycle } from '../rows/lesson-rows.ts';
import { prepared } from './connection.ts';
import { addToCounter } from './counters.ts';
import { forgetFact } from './facts.ts';
import { removeSessionSummaries } from './retention-turns.ts';
import { removeBlocks, removeSpeakers, unusedSpeakers } from './turn-blocks.ts';

/** The turn that a row comes from is gone. */
const withoutTurn = (column: string) =>
  `NOT EXISTS (SELECT 1 FROM turns t WHERE t.session_id = @sessionId AND t.turn_id = ${column})`;

export function leftovers(database: Database, sessionId: string, before: number, limit: number): Leftovers {
  const rows = <T>(sql: string): T[] =>
    prepared(database, `${sql} LIMIT +@limit`).all({ sessionId, before, limit }) as T[];
  const values = <T>(sql: string): T[] =>
    prepared(database, `${sql} LIMIT +@limit`).pluck().all({ sessionId, before, limit }) as T[];
  const pairs = (sql: string): [number, number][] =>
    prepared(database, `${sql} LIMIT +@limit`).raw().all({ sessionId, before, limit }) as [number, number][];
  const sessionKey = keyOf(database, sessionId);
  return {
    cycles: values(
      `SELECT cycle_id FROM cycles WHERE session_id = @sessionId AND created_at < @before AND updated_at < @before`,
    ),
    facts: values(
      `SELECT fact_id FROM facts INDEXED BY facts_by_turn
        WHERE session_id = @sessionId AND source_turn_id IS NOT NULL AND pinned = 0 AND author <> 'person'
          AND ${withoutTurn('source_turn_id')}`,
    ),
    summaries: rows(
      `SELECT scope, version FROM context_summaries
        WHERE session_id = @sessionId AND author <> 'person' AND first_turn_id IS NOT NULL
          AND ${withoutTurn('first_turn_id')}`,
    ),
    idempotencyKeys: values(
      `SELECT key FROM idempotency_keys k WHERE session_id = @sessionId AND (created_at < @before OR NOT EXISTS (
         SELECT 1 FROM turns t WHERE t.session_id = k.session_id AND t.conversation_id = k.conversation_id
            AND t.turn_number = k.first_turn_number))`,
    ),
    factVersions: pairs(
      'SELECT fact_no, version FROM fact_versions WHERE session_id = @sessionId AND until < @before',
    ),
    lessonVersions: pairs(
      'SELECT lesson_no, version FROM lesson_versions WHERE session_id = @sessionId AND until < @before',
    ),
    jobs: values(
      `SELECT job_id FROM jobs WHERE session_id = @sessionId AND state = 'failed' AND created_at < @before`,
    ),
    conversations: values(
      `SELECT conversation_id FROM conversations c WHERE session_id = @sessionId
          AND turn_count = coalesce(removed_turns, 0) AND last_active < @before
          AND NOT EXISTS (SELECT 1 FROM cycles y WHERE y.session_id = c.session_id
            AND y.conversation_id = c.conversation_id AND y.updated_at >= @before)`,
    ),
    speakers: sessionKey === undefined ? [] : unusedSpeakers(database, sessionKey).slice(0, limit),
  };
}

export function removeLeftovers(database: Database, sessionId: string, left: Leftovers): void {
  for (const cycleId of left.cycles) removeCycle(database, sessionId, cycleId);
  for (const factId of left.facts) forgetFact(database, sessionId, factId);
  const remove = (table: string, ...columns: string[]) =>
    prepared(
      database,
      `DELETE FROM ${table} WHERE session_id = ? AND ${columns.map((column) => `${column} = ?`).join(' AND ')}`,
    );
  for (const { scope, version } of left.summaries) {
    remove('context_summaries', 'scope', 'version').run(sessionId, scope, version);
    removeSessionSummaries(database, sessionId);
  }
  for (const key of left.idempotencyKeys) remove('idempotency_keys', 'key').run(sessionId, key);
  for (const version of left.factVersions) {
    remove('fact_versions', 'fact_no', 'version').run(sessionId, ...version);
  }
  for (const version of left.lessonVersions) {
    remove('lesson_versions', 'lesson_no', 'version').run(sessionId, ...version);
  }
  for (const jobId of left.jobs) remove('jobs', 'job_id').run(sessionId, jobId);
  for (const id of left.conversations) removeConversation(database, sessionId, id);
  const sessionKey = keyOf(database, sessionId);
  if (sessionKey !== undefined) removeSpeakers(database, sessionKey, left.speakers);
}

function keyOf(database: Database, sessionId: string): number | undefined {
  return prepared(database, 'SELECT session_key FROM sessions WHERE session_id = ?')
    .pluck()
    .get(sessionId) as number | undefined;
}

/** With all that it kept of its work, and out of the evidence of lessons, which outlive it. */
function removeCycle(database: Database, sessionId: string, cycleId: string): void {
  const lessons = prepared(
    database,
    'SELECT lesson_no AS lessonNo, evidence FROM lessons WHERE session_id = ? AND instr(evidence, ?) > 0',
  ).all(sessionId, cycleId) as { lessonNo: number; evidence: string }[];
  for (const { lessonNo, evidence } of lessons) {
    prepared(database, 'UPDATE lessons SET evidence = ? WHERE session_id = ? AND lesson_no = ?').run(
      withoutCycle(evidence, cycleId),
      sessionId,
      lessonNo,
    );
  }
  prepared(database, 'DELETE FROM cycles WHERE session_id = ? AND cycle_id = ?').run(sessionId, cycleId);
}

/** Unless somebody has said something in it meanwhile. Its ordinal is not given again. */
function removeConversation(database: Database, sessionId: string, conversationId: string): void {
  const removed = prepared(
    database,
    `DELETE FROM conversations WHERE session_id = ? AND conversation_id = ?
        AND turn_count = coalesce(removed_turns, 0) RETURNING ordinal`,
  )
    .pluck()
    .get(sessionId, conversationId) as number | undefined;
  if (removed === undefined) return;
  const sessionKey = prepared(
    database,
    `UPDATE sessions SET removed_conversations = coalesce(removed_conversations, 0) + 1 WHERE session_id = ?
     RETURNING session_key`,
  )
    .pluck()
    .get(sessionId) as number;
  addToCounter(database, 'conversations', -1);
  removeBlocks(database, sessionKey, removed);
}

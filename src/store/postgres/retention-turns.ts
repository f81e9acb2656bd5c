import type { ExpiredTurn, RetentionStore } from '../retention-store.ts';
import { addToCounter } from './counters.ts';
import { forgetFact } from './facts.ts';
import type { Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';
import { removeTurnEntries } from './turn-blocks.ts';
import { blankTurnVector } from './vectors.ts';

export function expiredTurns(
  db: Queries,
  { sessionId, before, limit, characters }: Parameters<RetentionStore['expiredTurns']>[0],
): Promise<ExpiredTurn[]> {
  // A text may have megabytes: what is not wanted is not sent. The first one is, however long.
  return db.all<ExpiredTurn>(
    `SELECT conversation_id AS "conversationId", turn_number AS "turnNumber", content FROM (
       SELECT *, sum(length(content)) OVER (ORDER BY age, conversation_id, turn_number) - length(content) AS before
         FROM (SELECT conversation_id, turn_number, content, least(timestamp, stored_at) AS age FROM turns
                WHERE session_id = $1 AND least(timestamp, stored_at) < $2
                ORDER BY least(timestamp, stored_at), conversation_id, turn_number LIMIT $3) AS oldest) AS counted
      WHERE before < $4 ORDER BY age, conversation_id, turn_number`,
    sessionId,
    before,
    limit,
    characters,
  );
}

export async function removeTerms(
  db: Queries,
  { sessionId, conversationId, turnNumber, terms }: Parameters<RetentionStore['removeTerms']>[0],
): Promise<void> {
  const ordinal = await ordinalOf(db, sessionId, conversationId);
  if (ordinal !== undefined) await removeEntries(db, sessionId, ordinal, turnNumber, terms);
}

export async function removeTurn(
  db: Queries,
  { sessionId, conversationId, turnNumber, before, terms }: Parameters<RetentionStore['removeTurn']>[0],
): Promise<boolean> {
  const ordinal = await ordinalOf(db, sessionId, conversationId);
  if (ordinal === undefined) return false;
  const turnId = await db.value<string>(
    `DELETE FROM turns WHERE session_id = $1 AND conversation_id = $2 AND turn_number = $3
        AND least(timestamp, stored_at) < $4 RETURNING turn_id`,
    sessionId,
    conversationId,
    turnNumber,
    before,
  );
  if (turnId === undefined) return false;
  await removeEntries(db, sessionId, ordinal, turnNumber, terms);
  await removeTurnEntries(db, sessionId, [{ conversationOrdinal: ordinal, turnNumber }]);
  await blankTurnVector(db, sessionId, ordinal, turnNumber);
  const facts = await db.all<{ fact_id: string }>(
    `SELECT fact_id FROM facts WHERE session_id = $1 AND source_turn_id = $2 AND pinned = 0 AND author <> 'person'`,
    sessionId,
    turnId,
  );
  for (const fact of facts) await forgetFact(db, sessionId, fact.fact_id);
  await removeSummaries(db, sessionId, conversationId, turnNumber);
  await db.run(
    // The directive that began a conversation is its title.
    `UPDATE conversations SET removed_turns = coalesce(removed_turns, 0) + 1,
       directive = CASE WHEN $3 = 1 THEN '' ELSE directive END
      WHERE session_id = $1 AND conversation_id = $2`,
    sessionId,
    conversationId,
    turnNumber,
  );
  await db.run('UPDATE sessions SET total_turns = total_turns - 1 WHERE session_id = $1', sessionId);
  await addToCounter(db, 'turns', -1);
  return true;
}

/** Takes the session's lock, and tells which of its conversations this is. */
async function ordinalOf(
  db: Queries,
  sessionId: string,
  conversationId: string,
): Promise<number | undefined> {
  if (!(await lockIfThere(db, sessionId))) return undefined;
  return db.value<number>(
    `SELECT c.ordinal FROM conversations c JOIN sessions s USING (session_id)
      WHERE session_id = $1 AND c.conversation_id = $2 AND s.status <> 'importing'`,
    sessionId,
    conversationId,
  );
}

async function removeEntries(
  db: Queries,
  sessionId: string,
  ordinal: number,
  turn: number,
  terms: readonly string[],
): Promise<void> {
  await db.run(
    `DELETE FROM turn_terms WHERE session_id = $1 AND conversation_ordinal = $2 AND turn_number = $3
        AND term = ANY($4::text[])`,
    sessionId,
    ordinal,
    turn,
    terms,
  );
}

/** Those that cover the turn, and the session's, which are made of them. The person's own words stay. */
async function removeSummaries(
  db: Queries,
  sessionId: string,
  conversationId: string,
  turnNumber: number,
): Promise<void> {
  const removed = await db.run(
    `DELETE FROM context_summaries WHERE session_id = $1 AND scope = $2 AND author <> 'person' AND covers_through >= $3`,
    sessionId,
    conversationId,
    turnNumber,
  );
  if (removed > 0) await removeSessionSummaries(db, sessionId);
}

export async function removeSessionSummaries(db: Queries, sessionId: string): Promise<void> {
  await db.run(
    `DELETE FROM context_summaries WHERE session_id = $1 AND scope = '' AND author <> 'person'`,
    sessionId,
  );
}

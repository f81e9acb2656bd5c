import type { Database } from 'better-sqlite3';
import type { ExpiredTurn, RetentionStore } from '../retention-store.ts';
import { prepared } from './connection.ts';
import { addToCounter } from './counters.ts';
import { forgetFact } from './facts.ts';
import { removeTurnEntry } from './turn-blocks.ts';
import { removeTerms } from './turn-terms.ts';
import { blankTurnVector } from './vectors.ts';

interface Place {
  sessionKey: number;
  conversationOrdinal: number;
}

export function expiredTurns(
  database: Database,
  { sessionId, before, limit, characters }: Parameters<RetentionStore['expiredTurns']>[0],
): ExpiredTurn[] {
  const rows = prepared(
    database,
    `SELECT conversation_id AS conversationId, turn_number AS turnNumber, content
       FROM turns INDEXED BY turns_by_age WHERE session_id = ? AND min(timestamp, stored_at) < ?
      ORDER BY min(timestamp, stored_at) LIMIT +?`,
  ).iterate(sessionId, before, limit) as IterableIterator<ExpiredTurn>;
  const turns: ExpiredTurn[] = [];
  let length = 0;
  // One by one: a text may have megabytes, and what is not wanted is not read.
  for (const turn of rows) {
    turns.push(turn);
    length += turn.content.length;
    if (length >= characters) break;
  }
  return turns;
}

export function removeTermsOfTurn(
  database: Database,
  { sessionId, conversationId, turnNumber, terms }: Parameters<RetentionStore['removeTerms']>[0],
): void {
  const place = placeOf(database, sessionId, conversationId);
  if (place) removeTerms(database, { ...place, turnNumber }, terms);
}

export function removeTurn(
  database: Database,
  { sessionId, conversationId, turnNumber, before, terms }: Parameters<RetentionStore['removeTurn']>[0],
): boolean {
  const place = placeOf(database, sessionId, conversationId);
  if (!place) return false;
  const turnId = prepared(
    database,
    `DELETE FROM turns WHERE session_id = ? AND conversation_id = ? AND turn_number = ?
        AND min(timestamp, stored_at) < ? RETURNING turn_id`,
  )
    .pluck()
    .get(sessionId, conversationId, turnNumber, before) as string | undefined;
  if (turnId === undefined) return false;
  removeTerms(database, { ...place, turnNumber }, terms);
  removeTurnEntry(database, { ...place, turnNumber });
  blankTurnVector(database, place.sessionKey, place.conversationOrdinal, turnNumber);
  const facts = prepared(
    database,
    `SELECT fact_id FROM facts WHERE session_id = ? AND source_turn_id = ? AND pinned = 0 AND author <> 'person'`,
  )
    .pluck()
    .all(sessionId, turnId) as string[];
  for (const factId of facts) forgetFact(database, sessionId, factId);
  removeSummaries(database, sessionId, conversationId, turnNumber);
  prepared(
    database,
    // The directive that began a conversation is its title.
    `UPDATE conversations SET removed_turns = coalesce(removed_turns, 0) + 1,
       directive = CASE WHEN ? = 1 THEN '' ELSE directive END
      WHERE session_id = ? AND conversation_id = ?`,
  ).run(turnNumber, sessionId, conversationId);
  prepared(database, 'UPDATE sessions SET total_turns = total_turns - 1 WHERE session_id = ?').run(sessionId);
  addToCounter(database, 'turns', -1);
  return true;
}

function placeOf(database: Database, sessionId: string, conversationId: string): Place | undefined {
  return prepared(
    database,
    `SELECT s.session_key AS sessionKey, c.ordinal AS conversationOrdinal FROM conversations c JOIN sessions s ON s.session_id = c.session_id
      WHERE c.session_id = ? AND c.conversation_id = ? AND s.status <> 'importing'`,
  ).get(sessionId, conversationId) as Place | undefined;
}

/** Those that cover the turn, and the session's, which are made of them. The person's own words stay. */
function removeSummaries(
  database: Database,
  sessionId: string,
  conversationId: string,
  turnNumber: number,
): void {
  const { changes } = prepared(
    database,
    `DELETE FROM context_summaries WHERE session_id = ? AND scope = ? AND author <> 'person' AND covers_through >= ?`,
  ).run(sessionId, conversationId, turnNumber);
  if (changes > 0) removeSessionSummaries(database, sessionId);
}

export function removeSessionSummaries(database: Database, sessionId: string): void {
  prepared(
    database,
    `DELETE FROM context_summaries WHERE session_id = ? AND scope = '' AND author <> 'person'`,
  ).run(sessionId);
}

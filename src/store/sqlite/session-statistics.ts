import type { Database } from 'better-sqlite3';
import type { SessionRecord } from '../records.ts';
import type { SessionStatistics } from '../statistics.ts';
import { jobStatistics, maskedSecrets, turnStatistics, type TurnsOfDay } from '../rows/session-statistics.ts';
import { prepared } from './connection.ts';

const DAY_MS = 86_400_000;

/** Counts what a session holds, in its own rows and indexes only. */
export function sessionStatistics(database: Database, session: SessionRecord): SessionStatistics {
  const { sessionId } = session;
  const one = <T>(sql: string) => prepared(database, sql).get(sessionId) as T;
  const named = (sql: string) =>
    Object.fromEntries(
      (prepared(database, sql).all(sessionId) as { name: string; count: number }[]).map(({ name, count }) => [
        name,
        count,
      ]),
    );
  const jobs = named('SELECT state AS name, count(*) AS count FROM jobs WHERE session_id = ? GROUP BY state');
  return {
    conversations: session.conversationCount,
    turns: turnStatistics(turnsByDay(database, sessionId)),
    summaries: one<SessionStatistics['summaries']>(
      `SELECT count(*) AS versions, coalesce(sum(author = 'person'), 0) AS byPerson
         FROM context_summaries WHERE session_id = ?`,
    ),
    cycles: named(
      `SELECT coalesce(outcome, status) AS name, count(*) AS count FROM cycles WHERE session_id = ? GROUP BY 1`,
    ),
    causal: {
      events: one<{ n: number }>('SELECT count(*) AS n FROM causal_events WHERE session_id = ?').n,
      links: one<{ n: number }>('SELECT count(*) AS n FROM causal_links WHERE session_id = ?').n,
    },
    maskedSecrets: maskedSecrets(maskedOf(database, sessionId)),
    jobs: jobStatistics(jobs),
  };
}

function maskedOf(database: Database, sessionId: string): string[] {
  return prepared(
    database,
    `SELECT json_extract(metadata, '$.masked_secrets') FROM turns INDEXED BY turns_masked
      WHERE session_id = ? AND json_extract(metadata, '$.masked_secrets') IS NOT NULL
        AND json_type(metadata, '$.masked_secrets') = 'object'`,
  )
    .pluck()
    .all(sessionId) as string[];
}

function turnsByDay(database: Database, sessionId: string): TurnsOfDay[] {
  // Days before 1970 are negative: rounded down, not towards zero.
  return prepared(
    database,
    `SELECT agent, kind, (timestamp - ((timestamp % ${DAY_MS}) + ${DAY_MS}) % ${DAY_MS}) AS day,
            count(*) AS turns, min(timestamp) AS first, max(timestamp) AS last
       FROM turns INDEXED BY turns_by_kind WHERE session_id = ? GROUP BY agent, kind, day`,
  ).all(sessionId) as TurnsOfDay[];
}

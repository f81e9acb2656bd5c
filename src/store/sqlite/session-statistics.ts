import type { Database } from 'better-sqlite3';
import type { SessionRecord } from '../records.ts';
import type { SessionStatistics } from '../statistics.ts';
import { prepared } from './connection.ts';
import { fromJson } from '../json-column.ts';

const DAY_MS = 86_400_000;

interface TurnsOfDay {
  agent: string;
  kind: string;
  day: number;
  turns: number;
  first: number;
  last: number;
}

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
    turns: turnStatistics(database, sessionId),
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
    maskedSecrets: maskedSecrets(database, sessionId),
    jobs: { ready: jobs['ready'] ?? 0, running: jobs['running'] ?? 0, failed: jobs['failed'] ?? 0 },
  };
}

/** Metadata of a turn may come from anywhere: what is no count is none. */
function maskedSecrets(database: Database, sessionId: string): Record<string, number> {
  const rows = prepared(
    database,
    `SELECT json_extract(metadata, '$.masked_secrets') FROM turns INDEXED BY turns_masked
      WHERE session_id = ? AND json_extract(metadata, '$.masked_secrets') IS NOT NULL
        AND json_type(metadata, '$.masked_secrets') = 'object'`,
  )
    .pluck()
    .all(sessionId) as string[];
  const sums = new Map<string, number>();
  for (const row of rows) {
    for (const [name, count] of Object.entries(fromJson(row))) {
      if (Number.isSafeInteger(count)) sums.set(name, (sums.get(name) ?? 0) + Number(count));
    }
  }
  return Object.fromEntries(sums);
}

function turnStatistics(database: Database, sessionId: string): SessionStatistics['turns'] {
  // Days before 1970 are negative: rounded down, not towards zero.
  const rows = prepared(
    database,
    `SELECT agent, kind, (timestamp - ((timestamp % ${DAY_MS}) + ${DAY_MS}) % ${DAY_MS}) AS day,
            count(*) AS turns, min(timestamp) AS first, max(timestamp) AS last
       FROM turns INDEXED BY turns_by_kind WHERE session_id = ? GROUP BY agent, kind, day`,
  ).all(sessionId) as TurnsOfDay[];
  const sumBy = (keyOf: (row: TurnsOfDay) => string) => {
    const sums: Record<string, number> = {};
    for (const row of rows) sums[keyOf(row)] = (sums[keyOf(row)] ?? 0) + row.turns;
    return sums;
  };
  const days = sumBy(({ day }) => String(day));
  return {
    total: rows.reduce((sum, { turns }) => sum + turns, 0),
    byAgent: sumBy(({ agent }) => agent),
    byKind: sumBy(({ kind }) => kind),
    byDay: Object.entries(days)
      .map(([day, turns]) => ({ at: Number(day), turns }))
      .sort((a, b) => a.at - b.at)
      .map(({ at, turns }) => ({ day: new Date(at).toISOString().slice(0, 10), turns })),
    firstAt: rows.length === 0 ? null : Math.min(...rows.map(({ first }) => first)),
    lastAt: rows.length === 0 ? null : Math.max(...rows.map(({ last }) => last)),
  };
}

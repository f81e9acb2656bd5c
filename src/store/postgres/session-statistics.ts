import { fromJson } from '../json-column.ts';
import type { SessionRecord } from '../records.ts';
import { jobStatistics, maskedSecrets, turnStatistics, type TurnsOfDay } from '../rows/session-statistics.ts';
import type { SessionStatistics } from '../statistics.ts';
import type { Queries } from './queries.ts';

/** Counts what a session holds, in its own rows and indexes only. */
export async function sessionStatistics(db: Queries, session: SessionRecord): Promise<SessionStatistics> {
  const { sessionId } = session;
  const count = async (sql: string) => (await db.value<number>(sql, sessionId)) ?? 0;
  const named = async (sql: string) => {
    const rows = await db.all<{ name: string; count: number }>(sql, sessionId);
    return Object.fromEntries(rows.map((row) => [row.name, row.count]));
  };
  return {
    conversations: session.conversationCount,
    turns: turnStatistics(await turnsByDay(db, sessionId)),
    summaries: {
      versions: await count('SELECT count(*) FROM context_summaries WHERE session_id = $1'),
      byPerson: await count(
        `SELECT count(*) FROM context_summaries WHERE session_id = $1 AND author = 'person'`,
      ),
    },
    cycles: await named(
      `SELECT coalesce(outcome, status) AS name, count(*) AS count FROM cycles WHERE session_id = $1 GROUP BY 1`,
    ),
    causal: {
      events: await count('SELECT count(*) FROM causal_events WHERE session_id = $1'),
      links: await count('SELECT count(*) FROM causal_links WHERE session_id = $1'),
    },
    maskedSecrets: maskedSecrets(await maskedOf(db, sessionId)),
    jobs: jobStatistics(
      await named('SELECT state AS name, count(*) AS count FROM jobs WHERE session_id = $1 GROUP BY state'),
    ),
  };
}

async function maskedOf(db: Queries, sessionId: string): Promise<string[]> {
  const rows = await db.all<{ metadata: string }>(
    'SELECT metadata FROM turns WHERE session_id = $1 AND is_masked',
    sessionId,
  );
  return rows.flatMap(({ metadata }) => {
    const masked = fromJson(metadata)['masked_secrets'];
    return typeof masked === 'object' && masked !== null && !Array.isArray(masked)
      ? [JSON.stringify(masked)]
      : [];
  });
}

function turnsByDay(db: Queries, sessionId: string): Promise<TurnsOfDay[]> {
  // Days before 1970 are negative: rounded down, not towards zero.
  return db.all<TurnsOfDay>(
    `SELECT agent, kind, timestamp - ((timestamp % 86400000) + 86400000) % 86400000 AS day,
            count(*) AS turns, min(timestamp) AS first, max(timestamp) AS last
       FROM turns WHERE session_id = $1 GROUP BY agent, kind, day ORDER BY agent, kind, day`,
    sessionId,
  );
}

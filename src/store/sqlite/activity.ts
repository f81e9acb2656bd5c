import type { Database } from 'better-sqlite3';
import type { ActivityChanges, ActivityStore, CallFacts, CycleFacts } from '../activity-store.ts';
import { callFacts, headFromRow, type ChangeRow, type CostRow, type HeadRow } from '../rows/activity-rows.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';

/** The tables behind this are kept by triggers: see database/sqlite/0013-activity.sql. */
export const activityModule: StoreModule<ActivityStore> = {
  writes: [],
  create: (database) => ({
    changesSince: (sessionId, after, limit) => readActivity(database, sessionId, after, limit),
    head: (sessionId) => {
      const row = prepared(
        database,
        `SELECT s.session_id, s.session_key, coalesce(h.change_seq, 0) AS change_seq
           FROM sessions s LEFT JOIN activity_heads h USING (session_id)
          WHERE s.session_id = ? AND s.status <> 'importing'`,
      ).get(sessionId) as HeadRow | undefined;
      return row ? headFromRow(row) : null;
    },
    heads: (afterKey, limit) =>
      (
        prepared(
          database,
          `SELECT s.session_id, s.session_key, h.change_seq FROM sessions s JOIN activity_heads h USING (session_id)
            WHERE s.session_key > ? AND s.status <> 'importing' ORDER BY s.session_key LIMIT +?`,
        ).all(afterKey, limit) as HeadRow[]
      ).map(headFromRow),
  }),
};

function readActivity(database: Database, sessionId: string, after: number, limit: number): ActivityChanges {
  const watermark =
    (prepared(database, 'SELECT change_seq FROM activity_heads WHERE session_id = ?')
      .pluck()
      .get(sessionId) as number | undefined) ?? 0;
  const rows = prepared(
    database,
    `SELECT kind, id, activity_no, change_seq FROM activity_changes INDEXED BY activity_changes_by_change
      WHERE session_id = ? AND change_seq > ? ORDER BY change_seq LIMIT +?`,
  ).all(sessionId, after, limit) as ChangeRow[];
  const cycles: CycleFacts[] = [];
  const calls: CallFacts[] = [];
  for (const { kind, id, activity_no: activityNo } of rows) {
    if (kind === 'cycle') {
      const cycle = cycleFacts(database, sessionId, id, activityNo);
      if (!cycle) continue;
      cycles.push(cycle);
      calls.push(...callsOfCycle(database, sessionId, id, activityNo));
    } else calls.push(...costOfTurn(database, sessionId, id, activityNo));
  }
  const last = rows.at(-1);
  const through = rows.length < limit || !last ? watermark : last.change_seq;
  return {
    cycles,
    calls,
    changed: rows.map((row) => row.activity_no),
    through,
    more: through < watermark,
  };
}

function cycleFacts(
  database: Database,
  sessionId: string,
  cycleId: string,
  activityNo: number,
): CycleFacts | null {
  const row = prepared(
    database,
    `SELECT c.outcome, c.created_at AS createdAt, c.updated_at AS updatedAt,
       (SELECT coalesce(max(s.round), 0) FROM cycle_steps s
         WHERE s.session_id = c.session_id AND s.cycle_id = c.cycle_id AND s.kind = 'draft' AND s.status = 'done')
         AS rounds,
       (SELECT coalesce(sum(s.ended_at - s.started_at), 0) FROM cycle_steps s
         WHERE s.session_id = c.session_id AND s.cycle_id = c.cycle_id AND s.ended_at IS NOT NULL) AS workedMs
       FROM cycles c WHERE c.session_id = ? AND c.cycle_id = ?`,
  ).get(sessionId, cycleId) as Omit<CycleFacts, 'activityNo'> | undefined;
  return row ? { activityNo, ...row } : null;
}

/** What stands under `usage`, of whatever the record holds there: a number, or nothing. */
const USAGE = (column: string) => `
  json_extract(${column}, '$.usage.prompt_tokens') AS prompt,
  json_extract(${column}, '$.usage.completion_tokens') AS completion,
  json_extract(${column}, '$.usage.total_tokens') AS total`;

function callsOfCycle(
  database: Database,
  sessionId: string,
  cycleId: string,
  activityNo: number,
): CallFacts[] {
  const rows = prepared(
    database,
    `SELECT agent, ended_at AS at, ${USAGE('output')} FROM cycle_steps
      WHERE session_id = ? AND cycle_id = ? AND agent IS NOT NULL AND ended_at IS NOT NULL AND output IS NOT NULL`,
  ).all(sessionId, cycleId) as CostRow[];
  return rows.flatMap((row) => callFacts(row, activityNo));
}

function costOfTurn(database: Database, sessionId: string, turnId: string, activityNo: number): CallFacts[] {
  const rows = prepared(
    database,
    `SELECT agent, timestamp AS at, ${USAGE('metadata')} FROM turns WHERE session_id = ? AND turn_id = ?`,
  ).all(sessionId, turnId) as CostRow[];
  return rows.flatMap((row) => callFacts(row, activityNo));
}

import type { ActivityChanges, ActivityStore, CallFacts, CycleFacts } from '../activity-store.ts';
import { fromJson } from '../json-column.ts';
import type { Json } from '../records.ts';
import { callFacts, headFromRow, type ChangeRow, type CostRow, type HeadRow } from '../rows/activity-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';

/** The tables behind this are kept by triggers: see database/postgres/0003-cycles.sql. */
export const activityModule: PostgresModule<ActivityStore> = {
  writes: [],
  snapshots: ['changesSince'],
  create: (db) => ({
    changesSince: (sessionId, after, limit) => readActivity(db, sessionId, after, limit),
    async head(sessionId) {
      const row = await db.get<HeadRow>(
        `SELECT s.session_id, s.session_key, coalesce(h.change_seq, 0) AS change_seq
           FROM sessions s LEFT JOIN activity_heads h USING (session_id)
          WHERE session_id = $1 AND s.status <> 'importing'`,
        sessionId,
      );
      return row ? headFromRow(row) : null;
    },
    async heads(afterKey, limit) {
      const rows = await db.all<HeadRow>(
        `SELECT s.session_id, s.session_key, h.change_seq FROM sessions s JOIN activity_heads h USING (session_id)
          WHERE s.session_key > $1 AND s.status <> 'importing' ORDER BY s.session_key LIMIT $2`,
        afterKey,
        limit,
      );
      return rows.map(headFromRow);
    },
  }),
};

async function readActivity(
  db: Queries,
  sessionId: string,
  after: number,
  limit: number,
): Promise<ActivityChanges> {
  const watermark =
    (await db.value<number>('SELECT change_seq FROM activity_heads WHERE session_id = $1', sessionId)) ?? 0;
  const rows = await db.all<ChangeRow>(
    `SELECT kind, id, activity_no, change_seq FROM activity_changes
      WHERE session_id = $1 AND change_seq > $2 ORDER BY change_seq LIMIT $3`,
    sessionId,
    after,
    limit,
  );
  const ofKind = (kind: ChangeRow['kind']) => rows.filter((row) => row.kind === kind);
  const cycles = await cycleFacts(db, sessionId, ofKind('cycle'));
  const ofCycles = await callsOfCycles(db, sessionId, ofKind('cycle'));
  const ofTurns = await costsOfTurns(db, sessionId, ofKind('turn'));
  const last = rows.at(-1);
  const through = rows.length < limit || !last ? watermark : last.change_seq;
  return {
    // In the order of the changes.
    cycles: rows.flatMap((row) => cycles.get(row.activity_no) ?? []),
    calls: rows.flatMap((row) => [
      ...(ofCycles.get(row.activity_no) ?? []),
      ...(ofTurns.get(row.activity_no) ?? []),
    ]),
    changed: rows.map((row) => row.activity_no),
    through,
    more: through < watermark,
  };
}

const numbersOf = (changes: readonly ChangeRow[]) => changes.map((row) => row.activity_no);
const idsOf = (changes: readonly ChangeRow[]) => changes.map((row) => row.id);

async function cycleFacts(
  db: Queries,
  sessionId: string,
  changes: readonly ChangeRow[],
): Promise<Map<number, CycleFacts>> {
  if (changes.length === 0) return new Map();
  const rows = await db.all<CycleFacts>(
    `SELECT asked.no AS "activityNo", c.outcome, c.created_at AS "createdAt", c.updated_at AS "updatedAt",
       (SELECT coalesce(max(s.round), 0) FROM cycle_steps s
         WHERE s.session_id = c.session_id AND s.cycle_id = c.cycle_id AND s.kind = 'draft' AND s.status = 'done')
         AS rounds,
       (SELECT coalesce(sum(s.ended_at - s.started_at), 0)::bigint FROM cycle_steps s
         WHERE s.session_id = c.session_id AND s.cycle_id = c.cycle_id AND s.ended_at IS NOT NULL) AS "workedMs"
       FROM unnest($2::bigint[], $3::text[]) AS asked (no, id)
       JOIN cycles c ON c.session_id = $1 AND c.cycle_id = asked.id`,
    sessionId,
    numbersOf(changes),
    idsOf(changes),
  );
  return new Map(rows.map((row) => [row.activityNo, row]));
}

interface StoredCost {
  no: number;
  agent: string | null;
  at: number;
  /** JSON, with what it cost under `usage`. */
  json: string;
}

async function callsOfCycles(
  db: Queries,
  sessionId: string,
  changes: readonly ChangeRow[],
): Promise<Map<number, CallFacts[]>> {
  if (changes.length === 0) return new Map();
  return costs(
    await db.all<StoredCost>(
      `SELECT asked.no, s.agent, s.ended_at AS at, s.output AS json
         FROM unnest($2::bigint[], $3::text[]) AS asked (no, id)
         JOIN cycle_steps s ON s.session_id = $1 AND s.cycle_id = asked.id
        WHERE s.agent IS NOT NULL AND s.ended_at IS NOT NULL AND s.output IS NOT NULL
        ORDER BY asked.no, s.step_number`,
      sessionId,
      numbersOf(changes),
      idsOf(changes),
    ),
  );
}

async function costsOfTurns(
  db: Queries,
  sessionId: string,
  changes: readonly ChangeRow[],
): Promise<Map<number, CallFacts[]>> {
  if (changes.length === 0) return new Map();
  return costs(
    await db.all<StoredCost>(
      `SELECT asked.no, t.agent, t.timestamp AS at, t.metadata AS json
         FROM unnest($2::bigint[], $3::text[]) AS asked (no, id)
         JOIN turns t ON t.session_id = $1 AND t.turn_id = asked.id`,
      sessionId,
      numbersOf(changes),
      idsOf(changes),
    ),
  );
}

function costs(rows: readonly StoredCost[]): Map<number, CallFacts[]> {
  const found = new Map<number, CallFacts[]>();
  for (const { no, agent, at, json } of rows) {
    const usage = fieldsOf(fromJson(json)['usage']);
    const cost: CostRow = {
      agent,
      at,
      prompt: usage['prompt_tokens'],
      completion: usage['completion_tokens'],
      total: usage['total_tokens'],
    };
    found.set(no, [...(found.get(no) ?? []), ...callFacts(cost, no)]);
  }
  return found;
}

function fieldsOf(value: Json | undefined): Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

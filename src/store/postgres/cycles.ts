import { CccError } from '../../base/ccc-error.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import type { CycleCommit, CycleRecord, CycleStore, OpenStep } from '../cycle-store.ts';
import { fromJson, toJson } from '../json-column.ts';
import {
  cycleFromRow,
  eventFromRow,
  stepFromRow,
  type CycleRow,
  type EventRow,
  type StepRow,
} from '../rows/cycle-rows.ts';
import { applyBudget } from './budgets.ts';
import { insertCycleEvents } from './cycle-rows.ts';
import { insertJobs } from './job-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';
import { insertTurns } from './turn-rows.ts';

export const cyclesModule: PostgresModule<CycleStore> = {
  writes: ['create', 'commit'],
  create: (db) => ({
    async create(input) {
      const { sessionId, conversationId, cycleId, maxTurns, createdAt: now } = input;
      const turns = await insertTurns(db, { sessionId, conversationId, turns: input.turns, maxTurns, now });
      await db.run(
        `INSERT INTO cycles (session_id, cycle_id, conversation_id, status, outcome, machine, version, created_at,
           updated_at) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)`,
        sessionId,
        cycleId,
        conversationId,
        input.status,
        input.outcome,
        toJson(input.machine),
        now,
      );
      await db.run(
        'INSERT INTO cycle_requests (session_id, cycle_id, request) VALUES ($1, $2, $3)',
        sessionId,
        cycleId,
        toJson(input.request),
      );
      const events = await insertCycleEvents(db, { sessionId, cycleId, events: input.events, now });
      await insertJobs(db, sessionId, input.jobs, now);
      if (input.openStep) await insertStep(db, input, input.openStep);
      const { reserve } = input;
      const grantedMs = reserve ? await applyBudget(db, input, { reserve, ended: false, now }) : 0;
      const {
        turns: _turns,
        events: _events,
        jobs: _jobs,
        openStep: _step,
        reserve: _reserve,
        maxTurns: _maxTurns,
        ...fields
      } = input;
      return { cycle: { ...fields, version: 1, updatedAt: now }, turns, events, grantedMs };
    },
    commit: (commit) => commitStep(db, commit),
    get: (cycleId) => findCycle(db, cycleId),
    async steps(sessionId, cycleId) {
      const rows = await db.all<StepRow>(
        'SELECT * FROM cycle_steps WHERE session_id = $1 AND cycle_id = $2 ORDER BY step_number',
        sessionId,
        cycleId,
      );
      return rows.map(stepFromRow);
    },
    async events({ sessionId, cycleId, afterSeq, limit }) {
      const rows = await db.all<EventRow>(
        'SELECT * FROM cycle_events WHERE session_id = $1 AND cycle_id = $2 AND seq > $3 ORDER BY seq LIMIT $4',
        sessionId,
        cycleId,
        afterSeq,
        limit,
      );
      return rows.map(eventFromRow);
    },
    async list({ sessionId, conversationId = null, limit, cursor }) {
      const [time, id] =
        cursor === null ? [Number.MAX_SAFE_INTEGER, ''] : decodeCursor(cursor, ['number', 'string']);
      const rows = await db.all<CycleRow>(
        `SELECT * FROM cycles
          WHERE session_id = $1 AND (created_at, cycle_id) < ($2::bigint, $3::text)
            AND ($4::text IS NULL OR conversation_id = $4)
          ORDER BY created_at DESC, cycle_id DESC LIMIT $5`,
        sessionId,
        time,
        id,
        conversationId,
        limit + 1,
      );
      return pageOf(rows, limit, cycleFromRow, (row) => encodeCursor([row.created_at, row.cycle_id]));
    },
    async waitingForTools(sessionId, limit) {
      const rows = await db.all<CycleRow>(
        // The condition has to stand here word for word: it is that of the index.
        `SELECT * FROM cycles WHERE session_id = $1 AND outcome = 'awaiting_tools'
          ORDER BY created_at DESC LIMIT $2`,
        sessionId,
        limit,
      );
      return rows.map((row) => ({ ...cycleFromRow(row), machine: fromJson(row.machine) }));
    },
    counts: () =>
      db.all<{ name: string; count: number }>(
        `SELECT name, sum(count)::bigint AS count FROM cycle_counts GROUP BY name HAVING sum(count) > 0 ORDER BY name`,
      ),
  }),
};

async function findCycle(db: Queries, cycleId: string): Promise<CycleRecord | null> {
  const row = await db.get<CycleRow & { request: string }>(
    `SELECT c.*, r.request FROM cycles c JOIN sessions s USING (session_id)
       JOIN cycle_requests r USING (session_id, cycle_id)
      WHERE c.cycle_id = $1 AND s.status <> 'importing'`,
    cycleId,
  );
  if (!row) return null;
  return { ...cycleFromRow(row), request: fromJson(row.request), machine: fromJson(row.machine) };
}

/**
 * One step boundary. The version moves first: whoever has been overtaken changes nothing, a server that was paused while
 * another one took its cycle (`cycle-leases.ts`) neither.
 */
async function commitStep(db: Queries, commit: CycleCommit): ReturnType<CycleStore['commit']> {
  const { sessionId, cycleId, now } = commit;
  // Before the cycle's row, as an erasure takes them.
  if (!(await lockIfThere(db, sessionId))) throw new CccError('cycle_not_found');
  const row = await db.get<{ conversation_id: string }>(
    `UPDATE cycles SET status = $4, outcome = $5, machine = $6, version = version + 1, updated_at = $7
      WHERE session_id = $1 AND cycle_id = $2 AND version = $3 RETURNING conversation_id`,
    sessionId,
    cycleId,
    commit.expectedVersion,
    commit.status,
    commit.outcome,
    toJson(commit.machine),
    now,
  );
  if (!row) {
    const known = await db.get(
      'SELECT 1 FROM cycles WHERE session_id = $1 AND cycle_id = $2',
      sessionId,
      cycleId,
    );
    if (!known) throw new CccError('cycle_not_found');
    throw new CccError('cycle_conflict', 'The cycle has gone on elsewhere.');
  }
  if (commit.closeStep) {
    const { stepId, status, output, endedAt } = commit.closeStep;
    await db.run(
      `UPDATE cycle_steps SET status = $4, output = $5, ended_at = $6
        WHERE session_id = $1 AND cycle_id = $2 AND step_id = $3 AND status = 'open'`,
      sessionId,
      cycleId,
      stepId,
      status,
      toJson(output),
      endedAt,
    );
  }
  if (commit.openStep) await insertStep(db, commit, commit.openStep);
  const grantedMs = await applyBudget(db, commit, {
    ...(commit.settle ? { settle: commit.settle } : {}),
    ...(commit.reserve ? { reserve: commit.reserve } : {}),
    ended: commit.outcome !== null,
    now,
  });
  const turns = await insertTurns(db, {
    sessionId,
    conversationId: row.conversation_id,
    turns: commit.turns,
    now,
  });
  const events = await insertCycleEvents(db, { sessionId, cycleId, events: commit.events, now });
  await insertJobs(db, sessionId, commit.jobs, now);
  return { version: commit.expectedVersion + 1, turns, events, grantedMs };
}

async function insertStep(
  db: Queries,
  of: { sessionId: string; cycleId: string },
  step: OpenStep,
): Promise<void> {
  await db.run(
    `INSERT INTO cycle_steps (session_id, cycle_id, step_number, step_id, kind, agent, round, attempt, status, input,
       started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10)`,
    of.sessionId,
    of.cycleId,
    step.stepNumber,
    step.stepId,
    step.kind,
    step.agent,
    step.round,
    step.attempt,
    toJson(step.input),
    step.startedAt,
  );
}

import { CccError } from '../../base/ccc-error.ts';
import type { CycleCommit, CycleRecord, CycleStore, OpenStep } from '../cycle-store.ts';
import type { Database } from 'better-sqlite3';
import { applyBudget } from './budgets.ts';
import { prepared } from './connection.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import {
  cycleFromRow,
  eventFromRow,
  stepFromRow,
  type CycleRow,
  type EventRow,
  type StepRow,
} from '../rows/cycle-rows.ts';
import { insertCycleEvents } from './cycle-rows.ts';
import { insertJobs } from './job-rows.ts';
import { fromJson, toJson } from '../json-column.ts';
import type { StoreModule, Sync } from './store-module.ts';
import { insertTurns } from './turn-rows.ts';

export const cyclesModule: StoreModule<CycleStore> = {
  writes: ['create', 'commit'],
  create: (database) => ({
    create: (input) => {
      const { sessionId, conversationId, cycleId, maxTurns, createdAt: now } = input;
      const turns = insertTurns(database, { sessionId, conversationId, turns: input.turns, maxTurns, now });
      prepared(
        database,
        `INSERT INTO cycles (session_id, cycle_id, conversation_id, status, outcome, machine, version, created_at,
           updated_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)`,
      ).run(sessionId, cycleId, conversationId, input.status, input.outcome, toJson(input.machine), now, now);
      prepared(database, 'INSERT INTO cycle_requests (session_id, cycle_id, request) VALUES (?, ?, ?)').run(
        sessionId,
        cycleId,
        toJson(input.request),
      );
      const events = insertCycleEvents(database, { sessionId, cycleId, events: input.events, now });
      insertJobs(database, sessionId, input.jobs, now);
      if (input.openStep) insertStep(database, input, input.openStep);
      const { reserve } = input;
      const grantedMs = reserve ? applyBudget(database, input, { reserve, ended: false, now }) : 0;
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
    commit: (commit) => commitStep(database, commit),
    get: (cycleId) => findCycle(database, cycleId),
    steps: (sessionId, cycleId) =>
      (
        prepared(
          database,
          'SELECT * FROM cycle_steps WHERE session_id = ? AND cycle_id = ? ORDER BY step_number',
        ).all(sessionId, cycleId) as StepRow[]
      ).map(stepFromRow),
    events: ({ sessionId, cycleId, afterSeq, limit }) =>
      (
        prepared(
          database,
          'SELECT * FROM cycle_events WHERE session_id = ? AND cycle_id = ? AND seq > ? ORDER BY seq LIMIT +?',
        ).all(sessionId, cycleId, afterSeq, limit) as EventRow[]
      ).map(eventFromRow),
    list: ({ sessionId, conversationId = null, limit, cursor }) => {
      const [time, id] =
        cursor === null ? [Number.MAX_SAFE_INTEGER, ''] : decodeCursor(cursor, ['number', 'string']);
      const rows = prepared(
        database,
        `SELECT * FROM cycles
          WHERE session_id = @sessionId AND (created_at, cycle_id) < (@time, @id)
            AND (@conversationId IS NULL OR conversation_id = @conversationId)
          ORDER BY created_at DESC, cycle_id DESC LIMIT +@limit`,
      ).all({ sessionId, conversationId, time, id, limit: limit + 1 }) as CycleRow[];
      return pageOf(rows, limit, cycleFromRow, (row) => encodeCursor([row.created_at, row.cycle_id]));
    },
    waitingForTools: (sessionId, limit) =>
      (
        prepared(
          database,
          // The condition has to stand here word for word: it is that of the index.
          `SELECT * FROM cycles WHERE session_id = ? AND outcome = 'awaiting_tools'
            ORDER BY created_at DESC LIMIT +?`,
        ).all(sessionId, limit) as CycleRow[]
      ).map((row) => ({ ...cycleFromRow(row), machine: fromJson(row.machine) })),
    counts: () =>
      prepared(database, 'SELECT name, count FROM cycle_counts WHERE count > 0 ORDER BY name').all() as {
        name: string;
        count: number;
      }[],
  }),
};

function findCycle(database: Database, cycleId: string): CycleRecord | null {
  const row = prepared(
    database,
    `SELECT c.*, r.request FROM cycles c JOIN sessions s USING (session_id)
       JOIN cycle_requests r USING (session_id, cycle_id)
      WHERE c.cycle_id = ? AND s.status <> 'importing'`,
  ).get(cycleId) as (CycleRow & { request: string }) | undefined;
  if (!row) return null;
  return { ...cycleFromRow(row), request: fromJson(row.request), machine: fromJson(row.machine) };
}

/** One step boundary. The version moves first: whoever has been overtaken changes nothing. */
function commitStep(database: Database, commit: CycleCommit): ReturnType<Sync<CycleStore>['commit']> {
  const { sessionId, cycleId, now } = commit;
  const row = prepared(
    database,
    `UPDATE cycles SET status = ?, outcome = ?, machine = ?, version = version + 1, updated_at = ?
      WHERE session_id = ? AND cycle_id = ? AND version = ? RETURNING conversation_id`,
  ).get(
    commit.status,
    commit.outcome,
    toJson(commit.machine),
    now,
    sessionId,
    cycleId,
    commit.expectedVersion,
  ) as { conversation_id: string } | undefined;
  if (!row) {
    const known = prepared(database, 'SELECT 1 FROM cycles WHERE session_id = ? AND cycle_id = ?');
    if (!known.get(sessionId, cycleId)) throw new CccError('cycle_not_found');
    throw new CccError('cycle_conflict', 'The cycle has gone on elsewhere.');
  }
  if (commit.closeStep) {
    const { stepId, status, output, endedAt } = commit.closeStep;
    prepared(
      database,
      `UPDATE cycle_steps SET status = ?, output = ?, ended_at = ?
        WHERE session_id = ? AND cycle_id = ? AND step_id = ? AND status = 'open'`,
    ).run(status, toJson(output), endedAt, sessionId, cycleId, stepId);
  }
  if (commit.openStep) insertStep(database, commit, commit.openStep);
  const grantedMs = applyBudget(database, commit, {
    ...(commit.settle ? { settle: commit.settle } : {}),
    ...(commit.reserve ? { reserve: commit.reserve } : {}),
    ended: commit.outcome !== null,
    now,
  });
  const turns = insertTurns(database, {
    sessionId,
    conversationId: row.conversation_id,
    turns: commit.turns,
    now,
  });
  const events = insertCycleEvents(database, { sessionId, cycleId, events: commit.events, now });
  insertJobs(database, sessionId, commit.jobs, now);
  return { version: commit.expectedVersion + 1, turns, events, grantedMs };
}

function insertStep(database: Database, of: { sessionId: string; cycleId: string }, step: OpenStep): void {
  prepared(
    database,
    `INSERT INTO cycle_steps (session_id, cycle_id, step_number, step_id, kind, agent, round, attempt, status, input,
       started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)`,
  ).run(
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

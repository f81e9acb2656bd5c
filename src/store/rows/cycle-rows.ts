import type { CycleEventRecord, CycleHead, CycleStepRecord } from '../cycle-store.ts';
import { fromJson, fromNullableJson } from '../json-column.ts';

export interface CycleRow {
  session_id: string;
  cycle_id: string;
  conversation_id: string;
  status: string;
  outcome: string | null;
  machine: string;
  version: number;
  event_count: number;
  created_at: number;
  updated_at: number;
}

export interface StepRow {
  session_id: string;
  cycle_id: string;
  step_number: number;
  step_id: string;
  kind: string;
  agent: string | null;
  round: number;
  attempt: number;
  status: CycleStepRecord['status'];
  input: string;
  output: string | null;
  started_at: number;
  ended_at: number | null;
}

export interface EventRow {
  session_id: string;
  cycle_id: string;
  seq: number;
  type: string;
  data: string;
  created_at: number;
}

export function cycleFromRow(row: CycleRow): CycleHead {
  return {
    sessionId: row.session_id,
    conversationId: row.conversation_id,
    cycleId: row.cycle_id,
    status: row.status,
    outcome: row.outcome,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function stepFromRow(row: StepRow): CycleStepRecord {
  return {
    sessionId: row.session_id,
    cycleId: row.cycle_id,
    stepId: row.step_id,
    stepNumber: row.step_number,
    kind: row.kind,
    agent: row.agent,
    round: row.round,
    attempt: row.attempt,
    status: row.status,
    input: fromJson(row.input),
    output: fromNullableJson(row.output),
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

export function eventFromRow(row: EventRow): CycleEventRecord {
  return {
    sessionId: row.session_id,
    cycleId: row.cycle_id,
    seq: row.seq,
    type: row.type,
    data: fromJson(row.data),
    createdAt: row.created_at,
  };
}

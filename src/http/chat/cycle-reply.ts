import type { Response } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import type { CycleResult, RunningCycle } from '../../covenant/cycle-service.ts';
import { UpstreamError } from '../../models/upstream-error.ts';
import type { ChatParts } from './parts.ts';
import type { ChatCall } from './prepare.ts';

/** A cycle that runs, and who waits for it. */
export interface CycleReply {
  parts: ChatParts;
  res: Response;
  call: ChatCall;
  running: RunningCycle;
  /** As the client asked for it. */
  model: string;
  /** Aborts when the client hangs up. */
  signal: AbortSignal;
}

/** The cycle's summary, as it stands in a body and on a stream's last chunk. */
export function cycleSummary(result: CycleResult) {
  return {
    mode: 'cycle',
    cycle_id: result.cycleId,
    outcome: result.outcome,
    rounds: result.rounds,
    verdicts: result.verdicts,
    usage_by_agent: result.usageByAgent,
    reason: result.reason,
  };
}

export interface ReplyError {
  status: number;
  headers: Record<string, string>;
  body: object;
}

export function describeError(error: unknown): ReplyError {
  if (error instanceof UpstreamError) {
    return { status: error.status, headers: error.headers, body: { error: error.error } };
  }
  const shown = error instanceof CccError ? error : new CccError('internal_error');
  return { status: shown.status, headers: {}, body: shown.toBody() };
}

/** What to tell a client whose cycle has come to no answer at all; null when there is an answer to give. */
export function errorOf(result: CycleResult): ReplyError | null {
  if (result.answer !== '') return null;
  if (result.error) {
    return {
      status: result.error.status,
      headers: result.error.headers,
      body: { error: result.error.error },
    };
  }
  if (result.outcome === 'drained') return describeError(new CccError('shutting_down'));
  if (result.outcome === 'client_cancelled') {
    return describeError(new CccError('cycle_conflict', 'The cycle was cancelled before it had an answer.'));
  }
  if (result.outcome === 'upstream_error') return describeError(new CccError('upstream_unreachable'));
  return null;
}

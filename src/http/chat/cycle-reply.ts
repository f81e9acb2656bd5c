import type { Response } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import type { CycleResult, RunningCycle } from '../../covenant/cycle-service.ts';
import type { ChatRequest, Usage } from '../../models/chat-types.ts';
import { errorForLog, UpstreamError } from '../../models/upstream-error.ts';
import { callerName } from '../request-context.ts';
import { narrationHeading } from './narration.ts';
import type { ChatParts } from './parts.ts';
import type { ChatCall } from './chat-call.ts';

/** A cycle that runs, and who waits for it. */
export interface CycleReply {
  parts: ChatParts;
  res: Response;
  call: ChatCall;
  running: RunningCycle;
  /** What the client asked of the upstream, memory included: for an answer without a cycle. */
  request: ChatRequest;
  /** Aborts when the client hangs up. */
  signal: AbortSignal;
}

export interface ReplyError {
  status: number;
  headers: Record<string, string>;
  body: object;
}

/** What the client is to be told in the end, in either form. */
export type Ending =
  | { error: ReplyError }
  | {
      error: null;
      answer: string;
      /** Codey's calls of the client's tools, as the upstream gave them; null when he made none. */
      toolCalls: unknown[] | null;
      finishReason: string;
      model: string;
      usage: Usage;
      covenant: Record<string, unknown>;
      /** A last line of the narration, for what the answer itself cannot say; empty when there is none. */
      lastWords: string;
    };

/** Waits for the end of the cycle. Null when nobody is there any more to hear of it. */
export async function endingOf(reply: CycleReply): Promise<Ending | null> {
  const { running, call, signal } = reply;
  let result: CycleResult;
  try {
    result = await running.done;
  } catch (error) {
    call.logger.error({ err: error, cycle_id: running.cycleId }, 'the cycle could not be recorded');
    call.report.degrade('the cycle could not be recorded');
    return signal.aborted ? null : answerUnsupervised(reply);
  }
  if (signal.aborted) return null;
  const error = errorOf(result);
  if (error) return { error };
  call.report.stored(result.turns);
  const { answer, toolCalls, finishReason, usage } = result;
  return {
    error,
    answer,
    toolCalls,
    finishReason,
    usage,
    model: result.model || reply.request.model,
    covenant: summaryOf(result),
    lastWords: lastWordsOf(result),
  };
}

/** The record has failed in the middle of a cycle: the client gets what Stage 1 would have given, and is told. */
async function answerUnsupervised({ parts, res, call, request, signal }: CycleReply): Promise<Ending | null> {
  try {
    const { content, finishReason, completion, usage } = await parts.provider.chat(request, {
      signal,
      lane: `session ${call.sessionId}`,
      payer: callerName(res.req, res),
    });
    const covenant = { mode: 'direct', reason: NO_RECORD };
    const { tool_calls: toolCalls = null } = completion.choices[0]?.message ?? {};
    return {
      error: null,
      answer: content,
      toolCalls,
      finishReason,
      model: completion.model,
      usage,
      covenant,
      lastWords: '',
    };
  } catch (error) {
    if (signal.aborted) return null;
    call.logger.warn(errorForLog(error), 'the upstream gave no answer');
    return { error: describeError(error) };
  }
}

/** Why an answer is not supervised. */
export const NO_RECORD = 'The record is not available, and a cycle is kept in the record.';

/** What waits is not an answer yet: a reader of the stream is told so, and where to decide. */
function lastWordsOf({ outcome, answer, cycleId, rounds, reason }: CycleResult): string {
  if (outcome !== 'awaiting_decision' || answer !== '') return '';
  const heading = narrationHeading('beatrice', rounds, 'decision');
  return `\n\n${heading}\n${reason} Decide at POST /api/v2/cycles/${cycleId}/decision.`;
}

function summaryOf(result: CycleResult) {
  return {
    mode: 'cycle',
    cycle_id: result.cycleId,
    outcome: result.outcome,
    rounds: result.rounds,
    verdicts: result.verdicts,
    usage_by_agent: result.usageByAgent,
    reason: result.reason,
    ...(result.draftHash === null ? {} : { draft_hash: result.draftHash }),
  };
}

/** What to tell a client whose cycle has come to no answer at all; null when there is an answer to give. */
function errorOf({ answer, toolCalls, error, outcome }: CycleResult): ReplyError | null {
  if (answer !== '' || toolCalls) return null;
  if (error) return { status: error.status, headers: error.headers, body: { error: error.error } };
  if (outcome === 'drained') return describeError(new CccError('shutting_down'));
  if (outcome === 'client_cancelled') {
    return describeError(new CccError('cycle_conflict', 'The cycle was cancelled before it had an answer.'));
  }
  return outcome === 'upstream_error' ? describeError(new CccError('upstream_unreachable')) : null;
}

function describeError(error: unknown): ReplyError {
  if (error instanceof UpstreamError) {
    return { status: error.status, headers: error.headers, body: { error: error.error } };
  }
  const shown = error instanceof CccError ? error : new CccError('internal_error');
  return { status: shown.status, headers: {}, body: shown.toBody() };
}

import { createHash } from 'node:crypto';
import type { CycleRecord, CycleStepRecord } from '../../store/cycle-store.ts';
import type { Json, JsonObject } from '../../store/records.ts';
import type { MachineState } from '../machine/state.ts';
import { fromJson, type StoredRequest } from '../runner/stored-request.ts';

export type SpanAttributes = Record<string, string | number | boolean | string[]>;

/** A span as plain data: what a cycle, a round or a step of it was. Times in milliseconds since the epoch. */
export interface CycleSpan {
  traceId: string;
  spanId: string;
  parentId: string | null;
  name: string;
  /** True for a call to the upstream. */
  client: boolean;
  startedAt: number;
  endedAt: number;
  attributes: SpanAttributes;
  /** Why it failed; null when it did not. */
  error: string | null;
  events: { name: string; at: number; attributes: SpanAttributes }[];
}

/** Steps as people name them. */
const STEP_NAMES: Record<string, string> = { guide: 'guidance', draft: 'execute', review: 'verdict' };

/**
 * The spans of one run of a cycle, from what is in the record: cycle → round → step, by OpenTelemetry's conventions for
 * generative AI (in development; the names are those of @opentelemetry/semantic-conventions 1.45). A cycle that rested
 * and goes on is the same trace: its later runs are spans below the first one.
 *
 * @param fromStep number of the first step of this run
 * @param content whether texts go out with it: what was asked and what was answered
 */
export function cycleSpans(
  cycle: CycleRecord,
  steps: CycleStepRecord[],
  { fromStep, content, provider }: { fromStep: number; content: boolean; provider: SpanAttributes },
): CycleSpan[] {
  const state = fromJson<MachineState>(cycle.machine);
  const request = fromJson<StoredRequest>(cycle.request);
  const traceId = hexOf(cycle.cycleId, 32);
  const runId = (first: number) => hexOf(`${cycle.cycleId} run ${String(first)}`, 16);
  const ours = steps.filter(({ stepNumber }) => stepNumber >= fromStep);
  const common = { 'gen_ai.conversation.id': cycle.conversationId, 'ccc.cycle.id': cycle.cycleId };
  // The context is there before the cycle is: its time belongs to the first run.
  const before = request.contextMs ?? 0;
  const startedAt = fromStep <= 1 ? cycle.createdAt - before : (ours[0]?.startedAt ?? cycle.updatedAt);
  const run: CycleSpan = {
    traceId,
    spanId: runId(fromStep),
    parentId: fromStep <= 1 ? null : runId(1),
    name: 'invoke_workflow covenant_cycle',
    client: false,
    startedAt,
    endedAt: Math.max(startedAt, cycle.updatedAt),
    attributes: {
      ...common,
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': 'covenant_cycle',
      'ccc.session.id': cycle.sessionId,
      'ccc.cycle.outcome': cycle.outcome ?? cycle.status,
      'ccc.cycle.rounds': state.drafts.length,
      ...(content ? { 'gen_ai.input.messages': messagesOf('user', request.directive) } : {}),
    },
    // Its status and no more: what an upstream says in an error may hold anything, keys too.
    error: cycle.outcome === 'upstream_error' ? String(state.fault?.status ?? 'upstream_error') : null,
    events: [],
  };
  const rounds = [...new Set(ours.map(({ round }) => round))].flatMap((round) => {
    const inRound = ours.filter((step) => step.round === round);
    const span = roundSpan(run, round, inRound);
    span.attributes = { ...common, ...span.attributes };
    const calls = inRound.map((step) => stepSpan(span, step, { content, more: { ...provider, ...common } }));
    return [span, ...calls];
  });
  return [run, ...(fromStep <= 1 ? [retrieval(run, request, common)] : []), ...rounds];
}

/** What memory has brought for the prompts, and how long that took. */
function retrieval(run: CycleSpan, request: StoredRequest, common: SpanAttributes): CycleSpan {
  return {
    traceId: run.traceId,
    spanId: hexOf(`${run.spanId} retrieval`, 16),
    parentId: run.spanId,
    name: 'retrieval memory',
    client: false,
    startedAt: run.startedAt,
    endedAt: run.startedAt + (request.contextMs ?? 0),
    attributes: {
      ...common,
      'gen_ai.operation.name': 'retrieval',
      'gen_ai.data_source.id': 'memory',
      'ccc.step': 'retrieve',
      'ccc.context.tokens': request.contextTokens,
      'ccc.context.turn_ids': request.contextTurnIds,
    },
    error: null,
    events: [],
  };
}

function roundSpan(run: CycleSpan, round: number, steps: CycleStepRecord[]): CycleSpan {
  return {
    traceId: run.traceId,
    spanId: hexOf(`${run.spanId} round ${String(round)}`, 16),
    parentId: run.spanId,
    name: `round ${String(round)}`,
    client: false,
    startedAt: Math.min(...steps.map(({ startedAt }) => startedAt)),
    endedAt: Math.max(...steps.map(({ startedAt, endedAt }) => endedAt ?? startedAt)),
    attributes: { 'ccc.round': round },
    error: null,
    events: [],
  };
}

function stepSpan(
  round: CycleSpan,
  step: CycleStepRecord,
  { content, more }: { content: boolean; more: SpanAttributes },
): CycleSpan {
  const { input, output } = step;
  const model = textIn(input, 'model');
  const usage = objectIn(output, 'usage');
  const text = textIn(output, 'text');
  const endedAt = step.endedAt ?? step.startedAt;
  return {
    traceId: round.traceId,
    spanId: hexOf(step.stepId, 16),
    parentId: round.spanId,
    name: `chat ${model}`,
    client: true,
    startedAt: step.startedAt,
    endedAt,
    attributes: {
      ...more,
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': model,
      'gen_ai.agent.name': step.agent ?? '',
      'gen_ai.usage.input_tokens': numberIn(usage, 'prompt_tokens'),
      'gen_ai.usage.output_tokens': numberIn(usage, 'completion_tokens'),
      ...(textIn(output, 'finish_reason') === ''
        ? {}
        : { 'gen_ai.response.finish_reasons': [textIn(output, 'finish_reason')] }),
      'ccc.step': STEP_NAMES[step.kind] ?? step.kind,
      'ccc.step.attempt': step.attempt,
      'ccc.round': step.round,
      'ccc.prompt.hash': textIn(input, 'prompt_hash'),
      'ccc.prompt.version': numberIn(input, 'prompt_version'),
      ...listIn(input, 'lesson_ids', 'ccc.lesson_ids'),
      ...(step.status === 'failed' ? { 'error.type': errorType(output) } : {}),
      ...(content && text !== '' ? { 'gen_ai.output.messages': messagesOf('assistant', text) } : {}),
    },
    error: step.status === 'failed' ? errorType(output) : null,
    events: checksIn(output, endedAt, content),
  };
}

/** The checks of a draft: names and whether they passed. What they say quotes the draft, and is content. */
function checksIn(output: JsonObject | null, at: number, content: boolean): CycleSpan['events'] {
  const checks = Array.isArray(output?.['checks']) ? (output['checks'] as JsonObject[]) : [];
  return checks.map((check) => ({
    name: 'check',
    at,
    attributes: {
      'ccc.check.name': textIn(check, 'name'),
      'ccc.check.passed': check['passed'] === true,
      'ccc.check.required': check['required'] !== false,
      ...(content ? { 'ccc.check.detail': textIn(check, 'detail') } : {}),
    },
  }));
}

/** What kind of failure, without what the upstream said: that may hold anything. */
function errorType(output: JsonObject | null): string {
  const fault = objectIn(output, 'fault');
  if (fault) return String(numberIn(fault, 'status') || 'upstream_error');
  if (textIn(output, 'why') !== '') return textIn(output, 'why');
  if (output?.['problem'] !== undefined) return 'verdict_unreadable';
  return textIn(output, 'error') || 'failed';
}

function messagesOf(role: string, text: string): string {
  return JSON.stringify([{ role, parts: [{ type: 'text', content: text }] }]);
}

/** A hash as an id of so many hex digits: the same span has the same id, whoever tells of it. */
function hexOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

function textIn(of: JsonObject | null, key: string): string {
  const value = of?.[key];
  return typeof value === 'string' ? value : '';
}

function numberIn(of: JsonObject | null, key: string): number {
  const value = of?.[key];
  return typeof value === 'number' ? value : 0;
}

function objectIn(of: JsonObject | null, key: string): JsonObject | null {
  const value: Json | undefined = of?.[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

function listIn(of: JsonObject, key: string, name: string): SpanAttributes {
  const value = of[key];
  return Array.isArray(value) ? { [name]: value.map(String) } : {};
}

import { createHash } from 'node:crypto';
import { CccError } from '../../base/ccc-error.ts';
import type { Clock } from '../../base/clock.ts';
import { joinSignals } from '../../base/joined-signal.ts';
import type { Logger } from '../../base/logger.ts';
import { textOf } from '../../models/chat-result.ts';
import { NO_USAGE, type ChatMessage, type Usage } from '../../models/chat-types.ts';
import type { ChatResult } from '../../models/provider.ts';
import { errorForLog, UpstreamError } from '../../models/upstream-error.ts';
import { addUsage } from '../machine/budget.ts';
import type { CallKind, MachineEvent, StopReason, UpstreamFault } from '../machine/state.ts';
import { callIdsOf } from '../machine/tools.ts';
import { parseVerdict } from '../verdict/parse-verdict.ts';
import type { Agents } from './agents.ts';
import { CallLimit, type Grant } from './call-limit.ts';
import type { StoredRequest } from './stored-request.ts';

export interface CallInput {
  /** Whose call it is, for the log. */
  cycleId: string;
  kind: CallKind;
  model: string;
  messages: ChatMessage[];
  stored: StoredRequest;
  /** Aborts when the cycle is stopped; `stopReason` then says why. */
  signal: AbortSignal;
  stopReason: () => StopReason;
  /** Whose call it is, for the queue before the upstream. */
  lane: string;
  /** Whose tokens it spends. */
  payer: string | undefined;
  /** Most tokens that may be answered, most milliseconds it may take; null without a limit. */
  tokensLeft: number | null;
  msLeft: number | null;
  /** What the budgets of the session and of the day give; null when they have no limit. */
  grant: Grant | null;
  onText: (text: string) => void;
}

/** Makes one of the agents' calls and says what came of it. Never rejects: a failure is an event too. */
export async function performCall(
  { agents, clock, logger }: { agents: Agents; clock: Clock; logger: Logger },
  input: CallInput,
): Promise<MachineEvent> {
  if (input.signal.aborted) {
    // Stopped while its row was being written: nothing was sent.
    return { type: 'stopped', why: input.stopReason(), call: null, usage: NO_USAGE, ms: 0 };
  }
  const began = clock.now();
  const limit = new CallLimit({ ms: input.msLeft, tokens: input.tokensLeft }, input.grant);
  const joined = joinSignals(input.signal, limit.signal);
  let usage: Usage = NO_USAGE;
  const cost = () => ({ usage, ms: Math.max(0, clock.now() - began) });
  const call = {
    messages: input.messages,
    lane: input.lane,
    payer: input.payer,
    signal: joined.signal,
    onText: (text: string) => {
      limit.count(text);
      input.onText(text);
    },
    onUsage: (spent: Usage) => {
      usage = addUsage(usage, spent);
    },
  };
  try {
    switch (input.kind) {
      case 'guide': {
        const { content } = await agents.guide(input.model, call);
        return { type: 'guided', guidance: content, ...cost() };
      }
      case 'draft': {
        const result = await agents.draft(input.stored.request, input.model, call);
        return { ...draftedOrCalled(result), ...cost() };
      }
      case 'review': {
        const { content } = await agents.review(input.model, call);
        const read = parseVerdict(content, shown(input.messages));
        return read.ok
          ? { type: 'reviewed', verdict: read.verdict, ...cost() }
          : { type: 'review_unreadable', answer: content, problem: read.problem, ...cost() };
      }
    }
  } catch (error) {
    const why = input.signal.aborted ? input.stopReason() : limit.passed;
    if (why !== null) return { type: 'stopped', why, call: input.kind, ...cost() };
    logger.warn(
      { ...errorForLog(error), cycle_id: input.cycleId, call: input.kind },
      'a call of a cycle failed',
    );
    return { type: 'call_failed', call: input.kind, fault: faultOf(error), ...cost() };
  } finally {
    limit.end();
    joined.release();
  }
}

type Drafted = { type: 'drafted'; text: string; hash: string; finishReason: string; model: string };
type Called = { type: 'tools_called'; message: ChatMessage; model: string };

function draftedOrCalled({ content, finishReason, completion }: ChatResult): Drafted | Called {
  const { model } = completion;
  // A null refusal is what the upstream says, not what it takes back.
  const { refusal, ...said } = completion.choices[0]?.message ?? { refusal: null };
  const message = { role: 'assistant', ...said, ...(refusal === null ? {} : { refusal }) } as ChatMessage;
  if (callIdsOf(message).length > 0) return { type: 'tools_called', message, model };
  const hash = createHash('sha256').update(content).digest('hex');
  return { type: 'drafted', text: content, hash, finishReason, model };
}

function faultOf(error: unknown): UpstreamFault {
  if (error instanceof UpstreamError)
    return { status: error.status, error: error.error, headers: error.headers };
  const known =
    error instanceof CccError ? error : new CccError('internal_error', undefined, { cause: error });
  return { status: known.status, error: { ...known.toBody().error }, headers: {} };
}

/** What a reviewer was shown: the draft, and all that stands around it. */
function shown(messages: ChatMessage[]): string {
  return textOf(messages.find(({ role }) => role === 'user') ?? { role: 'user' });
}

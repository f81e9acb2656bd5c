import type { Clock } from '../../base/clock.ts';
import type { JobHandler } from '../../jobs/job-runner.ts';
import type { ChatProvider } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { SummaryRecord, TurnRecord } from '../../store/records.ts';
import { countTokens } from '../../text/tokens.ts';
import { attributed } from '../context/attribution.ts';
import { isSaid } from '../context/candidates.ts';
import { summariseJob, summariseSessionJob } from './jobs.ts';
import { readSummary, summaryRequest } from './summary-prompt.ts';

export interface SummariserDeps {
  dal: MemoryDAL;
  provider: ChatProvider;
  model: string;
  /** A conversation is summarised once its unsummarised turns pass this many tokens. */
  triggerTokens: number;
  clock: Clock;
}

/** Turns read at a time. */
const PAGE = 200;
/** Most tokens of turns that go into one call, in multiples of the trigger. */
const LARGEST_CALL = 2;

/**
 * Rolling summaries, in the background: the old summary and the turns after it become the new one. What a model
 * answers is stored only when it is a summary; a failure is tried again by the job runner.
 */
export function summariseConversation(deps: SummariserDeps): JobHandler {
  const { dal, triggerTokens, clock } = deps;
  return async (job, { signal }) => {
    const conversationId = String(job.payload['conversation_id']);
    const { sessionId } = job;
    const before = await dal.summaries.latest(sessionId, conversationId);
    const { turns, more } = await unsummarised(deps, sessionId, conversationId, before?.coversThrough ?? 0);
    const first = turns.at(0);
    const last = turns.at(-1);
    if (!first || !last || tokensOf(turns) < triggerTokens) return;
    const text = turns.filter(isSaid).map(attributed).join('\n');
    const summary = await ask(deps, before, text, signal);
    const added = await dal.summaries.add({
      sessionId,
      conversationId,
      text: summary,
      coversThrough: last.turnNumber,
      firstTurnId: before?.firstTurnId ?? first.turnId,
      lastTurnId: last.turnId,
      author: 'model',
      createdAt: clock.now(),
      basedOnVersion: before?.version ?? 0,
    });
    const now = clock.now();
    // Not added: somebody else wrote one meanwhile, so this one is stale and is made again on top of theirs.
    const again = !added || more ? [summariseJob(conversationId, now)] : [];
    await dal.jobs.enqueue(sessionId, [...again, summariseSessionJob(now)], now);
  };
}

/** The summary of a session, from the summaries of its conversations. */
export function summariseSession(deps: SummariserDeps): JobHandler {
  const { dal, clock } = deps;
  return async ({ sessionId }, { signal }) => {
    const [before, parts] = await Promise.all([
      dal.summaries.latest(sessionId, null),
      dal.summaries.latestOfAll(sessionId),
    ]);
    // One conversation's summary says all there is to say.
    if (parts.length < 2) return;
    const text = parts.map((part, at) => `Conversation ${String(at + 1)}: ${part.text}`).join('\n\n');
    const summary = await ask(deps, before?.author === 'person' ? before : null, text, signal);
    const added = await dal.summaries.add({
      sessionId,
      conversationId: null,
      text: summary,
      coversThrough: parts.length,
      firstTurnId: null,
      lastTurnId: null,
      author: 'model',
      createdAt: clock.now(),
      basedOnVersion: before?.version ?? 0,
    });
    const now = clock.now();
    if (!added) await dal.jobs.enqueue(sessionId, [summariseSessionJob(now)], now);
  };
}

async function unsummarised(
  { dal, triggerTokens }: SummariserDeps,
  sessionId: string,
  conversationId: string,
  through: number,
): Promise<{ turns: TurnRecord[]; more: boolean }> {
  const turns: TurnRecord[] = [];
  let tokens = 0;
  for (;;) {
    const fromNumber = (turns.at(-1)?.turnNumber ?? through) + 1;
    const page = await dal.turns.list({ sessionId, conversationId, fromNumber, limit: PAGE });
    for (const turn of page) {
      turns.push(turn);
      tokens += tokensOf([turn]);
      if (tokens >= triggerTokens * LARGEST_CALL) return { turns, more: true };
    }
    if (page.length < PAGE) return { turns, more: false };
  }
}

function tokensOf(turns: TurnRecord[]): number {
  return turns.filter(isSaid).reduce((sum, turn) => sum + countTokens(turn.content), 0);
}

async function ask(
  { provider, model }: SummariserDeps,
  before: SummaryRecord | null,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const { content } = await provider.chat(summaryRequest(model, before, text), { signal });
  const summary = readSummary(content);
  if (summary === null) throw new Error('the model did not answer with a summary');
  return summary;
}

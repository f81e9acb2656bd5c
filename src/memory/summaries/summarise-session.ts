import type { JobHandler } from '../../jobs/job-runner.ts';
import type { SummaryRecord } from '../../store/records.ts';
import { asData } from '../context/attribution.ts';
import { fit } from '../context/fit.ts';
import { askForSummary, LARGEST_CALL, type SummariserDeps } from './ask.ts';
import { summariseSessionJob } from './jobs.ts';
import { standingOf, withPersons, type Standing } from './standing.ts';

interface Part {
  text: string;
  tokens: number;
  createdAt: number;
}

/**
 * The summary of a session, from the summaries of its conversations: from all of them while they fit into one call,
 * and after that from the old one and those that are newer than it.
 */
export function summariseSession(deps: SummariserDeps): JobHandler {
  const { dal, clock } = deps;
  return async ({ sessionId }, { signal }) => {
    // What is written while this runs is newer than what was read, and is taken up by the next run.
    const readAt = clock.now();
    const [history, summaries] = await Promise.all([
      dal.summaries.history(sessionId, null),
      dal.summaries.latestOfAll(sessionId),
    ]);
    const newest = summaries.at(-1);
    if (!newest) return;
    const before = standingOf(history);
    const only = summaries.length === 1 ? newest.text : null;
    const own = only ?? (await fold(deps, before, summaries, signal));
    const text = withPersons(before.persons, own);
    if (text === before.latest?.text) return;
    const covered = await dal.conversations.get(newest.conversationId ?? '');
    const added = await dal.summaries.add({
      sessionId,
      conversationId: null,
      text,
      coversThrough: covered?.ordinal ?? 0,
      firstTurnId: null,
      lastTurnId: null,
      // One conversation's summary says all there is to say: no model is asked.
      author: only === null ? 'model' : 'rule',
      createdAt: readAt,
      basedOnVersion: before.latest?.version ?? 0,
    });
    const now = clock.now();
    if (!added) await dal.jobs.enqueue(sessionId, [summariseSessionJob(now)], now);
  };
}

async function fold(
  deps: SummariserDeps,
  before: Standing,
  summaries: SummaryRecord[],
  signal: AbortSignal,
): Promise<string> {
  const most = deps.triggerTokens * LARGEST_CALL;
  const parts: Part[] = [];
  for (const [at, summary] of summaries.entries()) parts.push(await partOf(summary, at + 1, most));
  const total = parts.reduce((sum, { tokens }) => sum + tokens, 0);
  const fits = total <= most;
  const taken = fits ? parts : parts.filter(({ createdAt }) => createdAt >= before.madeAt);
  let own = fits ? '' : before.own;
  for (const text of calls(taken, most)) {
    own = await askForSummary(deps, { persons: before.persons, own }, text, signal);
  }
  return own;
}

async function partOf({ text, createdAt }: SummaryRecord, number: number, most: number): Promise<Part> {
  const part = await fit(`Conversation ${String(number)}: ${asData(text)}`, most);
  return { ...part, createdAt };
}

/** The parts, as many together as one call may hold. */
function calls(parts: Part[], most: number): string[] {
  const texts: string[] = [];
  let tokens = Infinity;
  for (const part of parts) {
    if (tokens + part.tokens > most) {
      texts.push(part.text);
      tokens = part.tokens;
    } else {
      texts.push(`${texts.pop() ?? ''}\n\n${part.text}`);
      tokens += part.tokens;
    }
  }
  return texts;
}

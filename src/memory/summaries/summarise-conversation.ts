import type { JobHandler } from '../../jobs/job-runner.ts';
import type { TurnRecord } from '../../store/records.ts';
import { breathing } from '../../text/breathing.ts';
import { countTokensInSteps } from '../../text/tokens.ts';
import { attributed } from '../context/attribution.ts';
import { isSaid } from '../context/candidates.ts';
import { beginning, fit } from '../context/fit.ts';
import { askForSummary, LARGEST_CALL, type SummariserDeps } from './ask.ts';
import { summariseJob, summariseSessionJob } from './jobs.ts';
import { standingOf, withPersons } from './standing.ts';

/** Turns read at a time. */
const PAGE = 200;

/**
 * Rolling summaries, in the background: the old summary and the turns after it become the new one. What a model
 * answers is stored only when it is a summary; a failure is tried again by the job runner.
 */
export function summariseConversation(deps: SummariserDeps): JobHandler {
  const { dal, triggerTokens, clock } = deps;
  return async ({ sessionId, payload }, { signal }) => {
    const conversationId = String(payload['conversation_id']);
    const before = standingOf(await dal.summaries.history(sessionId, conversationId));
    const { latest } = before;
    const { turns, tokens, more } = await unsummarised(
      deps,
      sessionId,
      conversationId,
      latest?.coversThrough ?? 0,
    );
    const [first, last] = [turns.at(0), turns.at(-1)];
    if (!first || !last || tokens < triggerTokens) {
      // A crash may have come between this conversation's summary and the session's.
      if (before.madeAt > 0) await renewSession(deps, sessionId, before.madeAt);
      return;
    }
    const entries: string[] = [];
    for (const turn of turns.filter(isSaid)) entries.push(await entryOf(turn, triggerTokens));
    const text = entries.join('\n');
    const own = await askForSummary(deps, before, text, signal);
    const now = clock.now();
    const added = await dal.summaries.add({
      sessionId,
      conversationId,
      text: withPersons(before.persons, own),
      coversThrough: last.turnNumber,
      firstTurnId: latest?.firstTurnId ?? first.turnId,
      lastTurnId: last.turnId,
      author: 'model',
      createdAt: now,
      basedOnVersion: latest?.version ?? 0,
    });
    // Not added: somebody else wrote one meanwhile, so this one is stale and is made again on top of theirs.
    const again = !added || more ? [summariseJob(conversationId, now)] : [];
    await dal.jobs.enqueue(sessionId, [...again, summariseSessionJob(now)], now);
  };
}

async function renewSession(
  { dal, clock }: SummariserDeps,
  sessionId: string,
  madeAt: number,
): Promise<void> {
  const { madeAt: sessionMadeAt } = standingOf(await dal.summaries.history(sessionId, null));
  if (sessionMadeAt >= madeAt) return;
  const now = clock.now();
  await dal.jobs.enqueue(sessionId, [summariseSessionJob(now)], now);
}

async function unsummarised(
  { dal, triggerTokens }: SummariserDeps,
  sessionId: string,
  conversationId: string,
  through: number,
): Promise<{ turns: TurnRecord[]; tokens: number; more: boolean }> {
  const turns: TurnRecord[] = [];
  let tokens = 0;
  const breathe = breathing();
  for (;;) {
    const fromNumber = (turns.at(-1)?.turnNumber ?? through) + 1;
    const page = await dal.turns.list({ sessionId, conversationId, fromNumber, limit: PAGE });
    for (const turn of page) {
      turns.push(turn);
      if (isSaid(turn)) tokens += await countTokensInSteps(beginning(turn.content, triggerTokens));
      await breathe();
      if (tokens >= triggerTokens * LARGEST_CALL) return { turns, tokens, more: true };
    }
    if (page.length < PAGE) return { turns, tokens, more: false };
  }
}

/** A turn as it is summarised: the beginning of one that would fill the call by itself. */
async function entryOf(turn: TurnRecord, most: number): Promise<string> {
  const content = beginning(turn.content, most);
  const entry = await fit(attributed({ ...turn, content }), most, content.length < turn.content.length);
  return entry.text;
}

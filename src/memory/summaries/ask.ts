import type { Clock } from '../../base/clock.ts';
import type { ChatProvider } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Standing } from './standing.ts';
import { readSummary, summaryRequest } from './summary-prompt.ts';

export interface SummariserDeps {
  dal: MemoryDAL;
  provider: ChatProvider;
  model: string;
  /** A conversation is summarised once its unsummarised turns pass this many tokens. */
  triggerTokens: number;
  clock: Clock;
}

/** Most tokens of text that go into one call, in multiples of the trigger. */
export const LARGEST_CALL = 2;

/** What a model makes of the old summary and a text. @throws when it does not answer with a summary */
export async function askForSummary(
  { provider, model }: SummariserDeps,
  before: Pick<Standing, 'persons' | 'own'>,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const { content } = await provider.chat(summaryRequest(model, before, text), { signal });
  const summary = readSummary(content);
  if (summary === null) throw new Error('the model did not answer with a summary');
  return summary;
}

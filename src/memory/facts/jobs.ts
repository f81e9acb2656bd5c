import type { NewJob } from '../../store/records.ts';

export const EXTRACT_FACTS = 'extract_facts';

/** How long after a turn a conversation is read for facts, in milliseconds: a question and its answer belong together. */
const EXCHANGE_SETTLES_MS = 3_000;

/** Reads what was said in a conversation since it was last read. Waiting twins are one. */
export function factsJob(conversationId: string, now: number): NewJob {
  return {
    kind: EXTRACT_FACTS,
    dedupeKey: conversationId,
    payload: { conversation_id: conversationId },
    runAt: now + EXCHANGE_SETTLES_MS,
  };
}

import type { NewJob } from '../../store/records.ts';

export const CAUSAL_EXTRACT = 'causal_extract';
export const CAUSAL_JUDGE = 'causal_judge';

/** How long after a turn a conversation is read for events, in milliseconds: a question and its answer belong together. */
const EXCHANGE_SETTLES_MS = 3_000;

/** Reads what was said in a conversation since it was last read. Waiting twins are one. */
export function extractJob(conversationId: string, now: number): NewJob {
  return {
    kind: CAUSAL_EXTRACT,
    dedupeKey: conversationId,
    payload: { conversation_id: conversationId },
    runAt: now + EXCHANGE_SETTLES_MS,
  };
}

/** Looks for the causes of events: one job each, so that one that cannot be judged holds up no other. */
export function judgeJobs(eventIds: string[], now: number): NewJob[] {
  return eventIds.map((eventId) => ({
    kind: CAUSAL_JUDGE,
    dedupeKey: eventId,
    payload: { event_id: eventId },
    runAt: now,
  }));
}

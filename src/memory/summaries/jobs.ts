import type { NewJob } from '../../store/records.ts';

export const SUMMARISE_CONVERSATION = 'summarise_conversation';
export const SUMMARISE_SESSION = 'summarise_session';

/** Looks whether a conversation has grown enough to be summarised. Waiting twins are one. */
export function summariseJob(conversationId: string, now: number): NewJob {
  return {
    kind: SUMMARISE_CONVERSATION,
    dedupeKey: conversationId,
    payload: { conversation_id: conversationId },
    runAt: now,
  };
}

export function summariseSessionJob(now: number): NewJob {
  return { kind: SUMMARISE_SESSION, dedupeKey: '', payload: {}, runAt: now };
}

import type { NewJob } from '../../store/records.ts';

export const EMBED_TURNS = 'embed_turns';

/** Embeds the turns of a conversation that the model has not embedded yet. Waiting twins are one. */
export function embedJob(conversationId: string, now: number): NewJob {
  return {
    kind: EMBED_TURNS,
    dedupeKey: conversationId,
    payload: { conversation_id: conversationId },
    runAt: now,
  };
}

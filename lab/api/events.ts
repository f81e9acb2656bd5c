import { EventSourceParserStream, type EventSourceMessage } from 'eventsource-parser/stream';
import { api } from './client.ts';
import { ApiError, send } from './http.ts';
import type { AgentName, Check, Criterion, Usage, UsedContext, Verdict } from './types.ts';

interface Stored {
  cycle_id: string;
  seq: number;
  created_at: string;
}

/** What a cycle tells those who watch it: stored events (with `seq`) and pieces of text that is being written. */
export type CycleEvent =
  | (Stored & {
      type: 'cycle_started';
      directive: string;
      conversation_id: string;
      criteria: Criterion[];
      context: UsedContext;
    })
  | (Stored & {
      type: 'step_started';
      step: 'guide' | 'draft' | 'review';
      agent: AgentName;
      round: number;
      attempt: number;
      model: string;
    })
  | (Stored & { type: 'guidance'; round: number; text: string })
  | (Stored & { type: 'draft'; round: number; text: string; hash: string; model: string; checks: Check[] })
  | (Stored & { type: 'verdict'; round: number; text: string; verdict: Verdict; accepted: boolean })
  | (Stored & { type: 'verdict_unreadable'; problem: string })
  | (Stored & { type: 'resumed' })
  | (Stored & { type: 'tools_called'; round: number })
  | (Stored & { type: 'tools_answered' })
  | (Stored & { type: 'decided'; decision: string; text: string })
  | (Stored & { type: 'lessons_learned'; lesson_ids: string[]; confirmed_ids: string[] })
  | (Stored & {
      type: 'cycle_ended';
      outcome: string;
      reason: string;
      round: number | null;
      rounds: number;
      answer: string;
      draft_hash: string | null;
      usage: Partial<Record<AgentName, Usage>>;
    })
  | { type: 'delta'; agent: AgentName; round: number; step: 'guidance' | 'draft' | 'verdict'; text: string };

/** An event of the log: it has a number and a time, and is told again to who asks for it. */
export type StoredEvent = Exclude<CycleEvent, { type: 'delta' }>;

/** The wait before a broken connection is tried again, in milliseconds. */
const TRY_AGAIN_MS = 1_000;

export interface Watcher {
  event(event: CycleEvent): void;
  /** The connection is open. */
  open(): void;
  /** The connection broke; `final` when it will not be tried again, `whole` when the server itself ended it. */
  broken(final: boolean, whole: boolean): void;
}

/**
 * Follows a cycle's events after `after`; a broken connection is opened again and goes on where it was. Not an
 * `EventSource`: that cannot bring the key that a server may ask for.
 */
export function watchCycle(cycleId: string, after: number, watcher: Watcher): () => void {
  const closed = new AbortController();
  const { signal } = closed;
  const follow = async () => {
    let last = after;
    while (!signal.aborted) {
      let whole = false;
      const answer = await send(api.cycleEventsPath(cycleId, last), { signal }).catch(
        (error: unknown) => error,
      );
      if (signal.aborted) return;
      if (answer instanceof Response) {
        watcher.open();
        const ended = () => (whole = true);
        for await (const { id, event: type = 'message', data } of messagesOf(answer, ended)) {
          if (id !== undefined) last = Number(id);
          watcher.event({ ...(JSON.parse(data) as object), type } as CycleEvent);
          if (signal.aborted) return;
        }
        if (signal.aborted) return;
      }
      // An answer that is no stream is the server's last word; a connection that was cut is not.
      const final = answer instanceof ApiError && answer.status !== 0;
      watcher.broken(final, whole);
      if (final) return;
      await new Promise((resolve) => window.setTimeout(resolve, TRY_AGAIN_MS));
    }
  };
  void follow();
  return () => {
    closed.abort();
  };
}

/** The events of a stream until it ends, in whatever way; `ended` is called when it was the proper one. */
async function* messagesOf({ body }: Response, ended: () => void): AsyncGenerator<EventSourceMessage> {
  if (!body) return;
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const next = await reader.read().catch(() => null);
    if (next?.done) ended();
    if (!next || next.done) return;
    yield next.value;
  }
}

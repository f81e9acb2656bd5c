import { api } from './client.ts';
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

const TYPES: CycleEvent['type'][] = [
  'cycle_started',
  'step_started',
  'guidance',
  'draft',
  'verdict',
  'verdict_unreadable',
  'resumed',
  'tools_called',
  'tools_answered',
  'decided',
  'cycle_ended',
  'delta',
];

export interface Watcher {
  event(event: CycleEvent): void;
  /** The connection is open. */
  open(): void;
  /** The connection broke; `final` when the browser will not try again. */
  broken(final: boolean): void;
}

/** Follows a cycle's events after `after`. The browser reconnects by itself and goes on where it was. */
export function watchCycle(cycleId: string, after: number, watcher: Watcher): () => void {
  const source = new EventSource(api.cycleEventsPath(cycleId, after));
  for (const type of TYPES) {
    source.addEventListener(type, (message: MessageEvent<string>) => {
      watcher.event({ ...(JSON.parse(message.data) as object), type } as CycleEvent);
    });
  }
  source.onopen = () => {
    watcher.open();
  };
  source.onerror = () => {
    watcher.broken(source.readyState === EventSource.CLOSED);
  };
  return () => {
    source.close();
  };
}

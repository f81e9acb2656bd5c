import { computed, signal } from '@preact/signals';
import type { CycleEvent, StoredEvent } from '../api/events.ts';
import type {
  AgentName,
  Check,
  Conversation,
  Criterion,
  CycleView,
  FoundTurn,
  Health,
  Session,
  UsedContext,
  Verdict,
} from '../api/types.ts';

/** One turn as the page shows it: stored, or being written right now. */
export interface ShownTurn {
  /** The same while it is written and once it is stored, so that nothing jumps. */
  key: string;
  /** Null while it is not stored, or when the page has not heard of it yet. */
  turnId: string | null;
  /** Its number in the conversation; null as long as `turnId` is. */
  number: number | null;
  cycleId: string | null;
  agent: AgentName;
  kind: string;
  round: number | null;
  speaker: string | null;
  text: string;
  live: boolean;
  when: string | null;
  verdict: Verdict | null;
  checks: Check[];
}

/** What is known of one cycle, as told by its events. */
export interface CycleStory {
  cycleId: string;
  directive: string;
  criteria: Criterion[];
  context: UsedContext | null;
  /** Sequence number of the last stored event that was heard. */
  lastSeq: number;
  /** Hash of the newest draft: what a decision is about. */
  draftHash: string | null;
  /** Every stored event that was heard, in their order. */
  events: StoredEvent[];
  ended: Extract<CycleEvent, { type: 'cycle_ended' }> | null;
  /** It has not ended and nobody works on it: the server was stopped in the middle. */
  interrupted: boolean;
}

export interface Problem {
  text: string;
  /** What the button beside it does; no button when absent. */
  action?: { label: string; run: () => void };
}

export type Panel = 'side' | 'look';
export type Tab = 'context' | 'trace' | 'settings';

export const health = signal<Health | null>(null);
export const models = signal<string[]>([]);
export const sessions = signal<Session[]>([]);
/** Only sessions with this in their name or id are listed. */
export const sessionFilter = signal('');
export const moreSessions = signal<string | null>(null);
export const conversations = signal<Conversation[]>([]);
export const moreConversations = signal<string | null>(null);
export const sessionId = signal<string | null>(null);
export const conversationId = signal<string | null>(null);
export const found = signal<{ query: string; turns: FoundTurn[] } | null>(null);

export const turns = signal<ShownTurn[]>([]);
/** Number of the first turn that is loaded; more than 1 means there are earlier ones. */
export const firstTurn = signal(1);
/** Number of the first turn after those that are loaded; null when the end is. */
export const laterTurn = signal<number | null>(null);
/** Turns of the open conversation when it was last read. */
export const turnCount = signal(0);
export const loading = signal(false);
/** The turn that a link led to. */
export const markedTurnId = signal<string | null>(null);

/** The cycle, or the direct answer, that is being written. */
export const running = signal<{ cycleId: string | null; cancel: () => void } | null>(null);
/** The cycle of the conversation that is at work, else its last one. */
export const story = signal<CycleStory | null>(null);
export const cycle = signal<CycleView | null>(null);
/** An earlier cycle that the person looks into; null while the panels show the last one. */
export const inspected = signal<{ story: CycleStory; cycle: CycleView } | null>(null);
/** What is happening right now, in one sentence. */
export const stateLine = signal('');
export const problem = signal<Problem | null>(null);
/** False while the server cannot be reached or a stream is being reconnected. */
export const connected = signal(true);

export const openPanel = signal<Panel | null>(null);
export const tab = signal<Tab>('context');

export const openSession = computed(
  () => sessions.value.find((session) => session.session_id === sessionId.value) ?? null,
);

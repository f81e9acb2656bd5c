import { signal } from '@preact/signals';
import type { AgentName, Conversation, Health, Session } from '../api/types.ts';

/** One turn as the page shows it: stored, or being written right now. */
export interface ShownTurn {
  key: string;
  agent: AgentName;
  kind: string;
  round: number | null;
  text: string;
  live: boolean;
  when: string | null;
}

/** One remembered turn that was put into the prompt. */
export interface RememberedTurn {
  turnId: string;
  agent: AgentName;
  speaker: string | null;
  content: string;
  timestamp: string;
  source: string;
  score: number;
}

export interface UsedContext {
  tokens: number;
  turns: RememberedTurn[];
}

export interface Problem {
  text: string;
  /** What the button beside it does; no button when absent. */
  retry?: () => void;
}

export const health = signal<Health | null>(null);
export const sessions = signal<Session[]>([]);
export const conversations = signal<Conversation[]>([]);
export const sessionId = signal<string | null>(null);
export const conversationId = signal<string | null>(null);
export const turns = signal<ShownTurn[]>([]);
export const runningCycleId = signal<string | null>(null);
/** What is happening or how the last cycle ended, in one sentence. */
export const stateLine = signal<string>('');
export const usedContext = signal<UsedContext | null>(null);
export const problem = signal<Problem | null>(null);
export const openPanel = signal<'side' | 'context' | null>(null);

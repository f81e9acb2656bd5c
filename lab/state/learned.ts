import { signal } from '@preact/signals';
import type { AgentState, Fact, Lesson } from '../api/learned.ts';

/** How each agent has worked in the open session. */
export const agentStates = signal<AgentState[]>([]);
/** What the agents have learned in the open session; null until it was read. */
export const lessons = signal<Lesson[] | null>(null);
/** Only lessons of this status are listed. */
export const lessonStatus = signal<Lesson['status'] | 'all'>('all');

/** What is known of people in the open session; null until it was read. */
export const facts = signal<Fact[] | null>(null);
export const moreFacts = signal<string | null>(null);
/** Whether what held once is listed too. */
export const withPast = signal(false);

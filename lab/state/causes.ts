import { signal } from '@preact/signals';
import type { CausalEvent, CausalGraph, Explanation } from '../api/causes.ts';
import type { Drawing } from '../graph/drawing.ts';

export const graph = signal<CausalGraph | null>(null);
export const drawing = signal<Drawing | null>(null);
/** The event around which the graph was cut out; null when it shows the newest events. */
export const around = signal<string | null>(null);
/** The chosen event, with what led to it and what came of it. */
export const chosen = signal<{
  eventId: string;
  why: Explanation | null;
  effects: Explanation | null;
} | null>(null);
/** What a search for events has found; null when none is asked. */
export const foundEvents = signal<{ query: string; events: CausalEvent[] } | null>(null);
/** Why there is nothing to show. */
export const noCauses = signal('');

import { signal } from '@preact/signals';
import type { Analytics } from '../api/insights.ts';

/** Whether the figures are of the open session or of all. */
export const scope = signal<'session' | 'all'>('session');
/** The figures that are shown; null until the first have come. */
export const figures = signal<Analytics | null>(null);

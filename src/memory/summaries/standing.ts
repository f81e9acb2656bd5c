import type { SummaryRecord } from '../../store/records.ts';

/** What a new version of a summary goes on from. */
export interface Standing {
  /** The newest version; null when there is none. */
  latest: SummaryRecord | null;
  /** What the person wrote, in force until they write again; empty when they have not. */
  persons: string;
  /** What was added to it, or the whole summary: this part a model may write anew. */
  own: string;
  /** When the newest version that no person wrote was made, in milliseconds since the epoch; 0 when there is none. */
  madeAt: number;
}

const BETWEEN = '\n\n';

/** Reads the versions of one summary, newest first. */
export function standingOf(history: SummaryRecord[]): Standing {
  const latest = history[0] ?? null;
  const persons = history.find(({ author }) => author === 'person')?.text.trim() ?? '';
  const madeAt = history.find(({ author }) => author !== 'person')?.createdAt ?? 0;
  const text = latest?.text.trim() ?? '';
  // Every version after the person's begins with their words (`withPersons`).
  const own = text.startsWith(persons) ? text.slice(persons.length).trim() : text;
  return { latest, persons, own, madeAt };
}

/** A summary that never loses what the person wrote: their words stand first, unchanged, whatever a model made of them. */
export function withPersons(persons: string, own: string): string {
  return [persons, own].filter((text) => text !== '').join(BETWEEN);
}

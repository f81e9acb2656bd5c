import type { IndexedText } from '../reindex-store.ts';

/** The key of a text inside its session, and of the place that the work has come to. */
export type Key = (string | number)[];

/** The tables with texts, in the order in which they are read: key columns, and the columns that entries are made from. */
export const TABLES: Record<IndexedText['table'], { key: string[]; columns: string[] }> = {
  turns: { key: ['conversation_id', 'turn_number'], columns: ['content'] },
  causal_events: { key: ['event_no'], columns: ['text'] },
  facts: { key: ['fact_no'], columns: ['subject', 'attribute', 'value', 'text'] },
};
export const ORDER = Object.keys(TABLES) as IndexedText['table'][];

export interface Progress {
  phase: IndexedText['table'] | 'sweep';
  position: Key;
}

/** As many texts as are wanted, at least one, and about so many characters. What is not wanted is not read. */
export function takenOf(texts: Iterable<IndexedText>, limit: number, characters: number): IndexedText[] {
  const taken: IndexedText[] = [];
  let length = 0;
  for (const text of texts) {
    length += Object.values(text.row).reduce((sum, column) => sum + column.length, 0);
    if (taken.length > 0 && length > characters) break;
    taken.push(text);
    if (taken.length >= limit) break;
  }
  return taken;
}

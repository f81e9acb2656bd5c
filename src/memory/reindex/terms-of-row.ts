import { packed } from '../../store/packed-terms.ts';
import type { TermCounts } from '../../store/records.ts';
import { analyse, analyseInSteps } from '../../text/analyse.ts';
import { factTerms } from '../facts/fact-words.ts';

/** What is indexed, and the columns that its entries are made from. */
export interface IndexedRow {
  table: string;
  row: Record<string, string>;
}

/** Tables whose rows have index entries; what these are made of. */
const INDEXED: Record<string, (row: Record<string, string>) => TermCounts | Promise<TermCounts>> = {
  turns: ({ content = '' }) => analyseInSteps(content).then(packed),
  causal_events: ({ text = '' }) => analyse(text),
  facts: ({ subject = '', attribute = '', value = '', text = '' }) =>
    factTerms({ subject, attribute, value, text }),
};

export function isIndexed(table: string): boolean {
  return Object.hasOwn(INDEXED, table);
}

/** The index entries of a row: the same when it is written, imported and indexed anew. */
export async function termsOfRow({ table, row }: IndexedRow): Promise<TermCounts> {
  const termsOf = isIndexed(table) ? INDEXED[table] : undefined;
  if (!termsOf) throw new Error(`Rows of ${table} have no index entries.`);
  return termsOf(row);
}

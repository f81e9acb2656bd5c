import type { TermCounts } from './records.ts';

/** A text of a session whose index entries are to be made again. */
export interface IndexedText {
  table: 'turns' | 'causal_events' | 'facts';
  /** Its key inside the session; opaque. */
  key: (string | number)[];
  /** The columns that its entries are made from. */
  row: Record<string, string>;
}

/**
 * Makes the index entries of sessions again when the analyser has changed: text by text, each with its entries in one
 * transaction, so that a session is found all the while and a kill at any moment costs one portion at most.
 */
export interface ReindexStore {
  /** Sessions, and their turns, that have index entries of another version. */
  outdated(version: number): Promise<{ sessions: number; turns: number }>;
  /** The next such session after this one, in the order of ids. */
  next(version: number, after: string): Promise<string | null>;
  /** The next texts of the session, at least one; none when there are no more, and only the sweep is left. */
  read(input: {
    sessionId: string;
    version: number;
    limit: number;
    /** Most characters, unless one text alone has more. */
    characters: number;
  }): Promise<IndexedText[]>;
  /** Stores the new entries of texts that `read` gave, and that they were done. A text that was changed since is left. */
  write(input: {
    sessionId: string;
    version: number;
    texts: { text: IndexedText; terms: TermCounts }[];
  }): Promise<void>;
  /** Looks at so many entries for old ones and removes these. True when the session is done: it has the version now. */
  sweep(input: { sessionId: string; version: number; limit: number }): Promise<boolean>;
}

import type { FactAuthor, FactRecord } from '../../store/fact-store.ts';
import type { TurnRecord } from '../../store/records.ts';
import type { FactWords } from './fact-words.ts';

/** A fact as it was read in a conversation. */
export interface ReadFact extends FactWords {
  /** The person's turn that tells it. */
  turn: TurnRecord;
  /** Of this only one can be so at a time. */
  exclusive: boolean;
  /** False: it was said to be so no more. */
  holds: boolean;
}

/** Reads turns for what will still matter later. */
export interface FactReader {
  readonly author: FactAuthor;
  /** `known` is noted already. Null: no answer that could be used. */
  read(turns: TurnRecord[], known: FactRecord[], signal: AbortSignal): Promise<ReadFact[] | null>;
}

/** Most facts that a model is asked for in one reading. */
export const MOST_FACTS = 12;

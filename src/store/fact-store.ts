import type { NewJob, Page, TermCounts } from './records.ts';

/** Who noted a fact: a model, the rule of the rehearsal model, or the person. */
export type FactAuthor = 'model' | 'rule' | 'person';

/** Something that is so of someone or something, from when and until when. */
export interface FactRecord {
  sessionId: string;
  factId: string;
  /** 1, 2, 3 … in the session, in the order of storing. */
  factNo: number;
  subject: string;
  attribute: string;
  value: string;
  /** The fact as a sentence. */
  text: string;
  /** Only one such value can be so at a time: a later one takes its place. */
  exclusive: boolean;
  validFrom: number;
  /** Null while it holds. */
  validUntil: number | null;
  /** The fact that took its place. */
  supersededBy: string | null;
  conversationId: string | null;
  sourceTurnId: string | null;
  author: FactAuthor;
  pinned: boolean;
  version: number;
  createdAt: number;
  updatedAt: number;
}

/** What makes two facts equal, and the terms by which one is found: made from its words by the caller. */
export interface FactIndex {
  subjectKey: string;
  attributeKey: string;
  valueKey: string;
  terms: TermCounts;
}

export interface NewFact extends FactIndex {
  factId: string;
  subject: string;
  attribute: string;
  value: string;
  text: string;
  exclusive: boolean;
  validFrom: number;
  conversationId: string | null;
  sourceTurnId: string | null;
  author: FactAuthor;
  pinned: boolean;
}

/** Something that is so no more. With a `valueKey`, that value alone. */
export interface FactEnding {
  subjectKey: string;
  attributeKey: string;
  valueKey: string | null;
  at: number;
}

/** What a correction changes; what is absent stays. */
export interface FactChanges {
  /** New words, all of them, and what is derived from them. */
  words?: Pick<NewFact, 'subject' | 'attribute' | 'value' | 'text'> & FactIndex;
  exclusive?: boolean;
  validFrom?: number;
  /** Null: it holds still, unless another took its place. */
  endedAt?: number | null;
  pinned?: boolean;
}

/** What a fact said before a correction. */
export interface FactVersion {
  version: number;
  subject: string;
  attribute: string;
  value: string;
  text: string;
  validFrom: number;
  /** When it was said to be so no more; null when it was not. */
  endedAt: number | null;
  author: FactAuthor;
  /** When it was corrected. */
  until: number;
}

export interface FoundFact {
  fact: FactRecord;
  /** The share of the question's weight that the fact holds, and the share of the fact's terms that the question has. */
  ofQuestion: number;
  ofFact: number;
}

/** Facts of a session. Each method is one transaction, and how facts supersede each other is settled inside it. */
export interface FactStore {
  /** In the order of storing, newest first. `current`: only those that hold. */
  list(input: {
    sessionId: string;
    current: boolean;
    limit: number;
    cursor: string | null;
  }): Promise<Page<FactRecord>>;
  get(sessionId: string, factId: string): Promise<FactRecord | null>;
  /** What it said before it was corrected, newest first. */
  versions(sessionId: string, factId: string): Promise<FactVersion[]>;
  /** Those that are pinned and hold, in the order of storing. */
  pinned(sessionId: string, limit: number): Promise<FactRecord[]>;
  /** Facts that have these terms, best first; with one that was superseded comes the one that holds now. */
  search(input: { sessionId: string; terms: readonly string[]; limit: number }): Promise<FoundFact[]>;
  /** Of these turns those of which nothing that was noted holds any more, with when the last of it ceased. */
  outdatedTurns(
    sessionId: string,
    turnIds: string[],
  ): Promise<{ turnId: string; byTurnId: string | null; at: number }[]>;
  /** The number of the last turn that was read for facts; 0 when none was. */
  progress(sessionId: string, conversationId: string): Promise<number>;
  /**
   * Adds facts. One that is known already at that time is not added again; one that contradicts an earlier one closes
   * it and takes over its pin; one that is older than another ends where that begins. With `progress`, nothing is
   * stored when the conversation was read further meanwhile: the work was done by somebody else.
   * @throws session_not_found, conversation_not_found
   */
  add(input: {
    sessionId: string;
    facts: NewFact[];
    endings: FactEnding[];
    progress?: { conversationId: string; from: number; through: number };
    jobs: NewJob[];
    now: number;
  }): Promise<FactRecord[]>;
  /** The person's correction. Null when there is no such fact. @throws version_conflict when it has another version */
  correct(input: {
    sessionId: string;
    factId: string;
    expectedVersion?: number;
    changes: FactChanges;
    now: number;
  }): Promise<FactRecord | null>;
  /** Erases a fact and what it said before. What it closed stays closed. False when there was none. */
  forget(sessionId: string, factId: string): Promise<boolean>;
}

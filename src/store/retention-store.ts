import type { Json, NewJob } from './records.ts';

/** A turn that is older than its session keeps turns, with what its index entries are made of. */
export interface ExpiredTurn {
  conversationId: string;
  turnNumber: number;
  content: string;
}

/** An event by its number, and since when it counts as old. */
export interface AgedEvent {
  eventNo: number;
  /** When it happened, or when it was stored if that was earlier. */
  at: number;
}

/** What is old besides turns and events, or has lost the turn it came from. */
export interface Leftovers {
  /** Cycles that nothing has happened to since. */
  cycles: string[];
  /** Facts whose turn is gone; not those that the person has pinned or worded. */
  facts: string[];
  /** Summaries of turns that are gone, the person's own excepted. */
  summaries: { scope: string; version: number }[];
  /** Keys of requests. */
  idempotencyKeys: string[];
  /** Earlier wordings of facts and lessons: number and version. */
  factVersions: [factNo: number, version: number][];
  lessonVersions: [lessonNo: number, version: number][];
  /** Jobs that were set aside. */
  jobs: string[];
  /** Conversations without a turn. */
  conversations: string[];
  /** Codes of names in the index that nobody goes by any more. */
  speakers: number[];
}

/**
 * Removing what a session does not keep any longer, in portions: each method that removes is one short transaction, and
 * what was removed is seen nowhere any more, counters and the projection's watermark included. What to remove is read
 * from the record each time, so a stop at any moment costs nothing.
 */
export interface RetentionStore {
  /**
   * Sessions in the order of their ids, after one, with their preference `memory_retention_days` as it
   * stands, and the version of the analyser that made their index entries (0: there are none).
   */
  sessions(
    after: string,
    limit: number,
  ): Promise<{ sessionId: string; days: Json; analyserVersion: number }[]>;
  /** Turns said or stored before a time, oldest first; at least one, and about so many characters. */
  expiredTurns(input: {
    sessionId: string;
    before: number;
    limit: number;
    characters: number;
  }): Promise<ExpiredTurn[]>;
  /** Removes entries of a turn from the index: a long one has more than go in one transaction. */
  removeTerms(input: {
    sessionId: string;
    conversationId: string;
    turnNumber: number;
    terms: string[];
  }): Promise<void>;
  /**
   * Removes a turn with these entries (its others are gone already), its vector, the facts that it told, and the
   * summaries that cover it. False when it is not there or not that old.
   */
  removeTurn(input: {
    sessionId: string;
    conversationId: string;
    turnNumber: number;
    before: number;
    terms: string[];
  }): Promise<boolean>;
  /** At most so many of each kind. */
  leftovers(sessionId: string, before: number, limit: number): Promise<Leftovers>;
  removeLeftovers(sessionId: string, leftovers: Leftovers): Promise<void>;

  /** Events older than a time, by number, after one. */
  expiredEvents(input: {
    sessionId: string;
    before: number;
    after: number;
    limit: number;
  }): Promise<AgedEvent[]>;
  /** The events that are linked with any of these, either way. */
  linked(sessionId: string, eventNos: number[]): Promise<AgedEvent[]>;
  /**
   * Removes events with their links. Nothing, and false, when one is not that old or linked with an event outside of
   * `chain`: then the chain has grown meanwhile.
   */
  removeEvents(input: {
    sessionId: string;
    eventNos: number[];
    chain: number[];
    before: number;
    now: number;
  }): Promise<boolean>;

  /** Ends the work on a session: what was removed leaves the log too, and `jobs` are stored. */
  settle(sessionId: string, jobs: NewJob[], now: number): Promise<void>;
}

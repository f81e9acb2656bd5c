import type { FactRecord, FactVersion } from '../../store/fact-store.ts';
import type { Page } from '../../store/records.ts';

/** A fact as the person gives it. */
export interface FactInput {
  subject: string;
  attribute: string;
  value: string;
  /** As a sentence; made of the rest when absent. */
  text?: string;
  /** Of this only one can be so at a time (the default): a later one takes its place. */
  exclusive?: boolean;
  /** Since when it is so, milliseconds since the epoch; now when absent. */
  validFrom?: number;
  pinned?: boolean;
}

/** What is known of a session's person, for that person to see and to set right. Unknown ids throw `*_not_found`. */
export interface FactService {
  /** Newest first; `current`: only what holds now, else with all that held once. */
  listFacts(input: {
    sessionId: string;
    current: boolean;
    limit: number;
    cursor: string | null;
  }): Promise<Page<FactRecord>>;
  /** One fact, and what it said before it was corrected. */
  getFact(sessionId: string, factId: string): Promise<{ fact: FactRecord; versions: FactVersion[] }>;
  /** What contradicts it is closed. A fact that says the same and holds is given back instead. */
  addFact(input: { sessionId: string } & FactInput): Promise<FactRecord>;
  /** Changes what is named; what it said before is kept. @throws version_conflict, invalid_request */
  correctFact(input: {
    sessionId: string;
    factId: string;
    expectedVersion?: number;
    changes: Partial<FactInput> & { validUntil?: number | null };
  }): Promise<FactRecord>;
  /** Erases it, with what it said before. The turn that told it stays. */
  forgetFact(sessionId: string, factId: string): Promise<void>;
}

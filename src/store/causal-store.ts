import type { NewJob, TermCounts } from './records.ts';

/** How a cause bears on an effect. The order is the code in packed arrays and the projection: only ever add. */
export const RELATIONS = ['caused', 'enabled', 'prevented', 'superseded'] as const;
export type Relation = (typeof RELATIONS)[number];

/** Who says so. A person's word outranks a model's, and a model's a rule's. */
export const JUDGES = ['rule', 'model', 'person'] as const;
export type JudgedBy = (typeof JUDGES)[number];

/** Something that happened. */
export interface CausalEventRecord {
  sessionId: string;
  eventId: string;
  /** 1, 2, 3 … in its session, in the order of storing; never given twice. */
  eventNo: number;
  conversationId: string | null;
  sourceTurnId: string | null;
  text: string;
  /** Who did it: an agent's name, or the name of the person who spoke. */
  actor: string | null;
  happenedAt: number;
  storedAt: number;
  recordedBy: JudgedBy;
  /** False until somebody has looked for its causes. */
  judged: boolean;
  /** When it last helped to answer something; a hint for ranking. */
  lastUsed: number;
  /** Order of change within the session; the projection's watermark. */
  changeSeq: number;
}

/** An event with what ranking wants to know of its place in the graph. */
export interface RankedEvent extends CausalEventRecord {
  /** Nothing was caused or enabled by it so far: the end of a chain, or an event on its own. */
  open: boolean;
  linked: boolean;
}

export interface NewCausalEvent {
  eventId: string;
  conversationId: string | null;
  sourceTurnId: string | null;
  text: string;
  actor: string | null;
  happenedAt: number;
  recordedBy: JudgedBy;
  /** Whether its causes are known already, or will never be asked for. */
  judged: boolean;
  terms: TermCounts;
}

/** cause → effect, judged by somebody: "cause enabled effect", "cause superseded effect". */
export interface CausalLinkRecord {
  sessionId: string;
  linkId: string;
  causeId: string;
  effectId: string;
  relation: Relation;
  /** 0 to 1. */
  confidence: number;
  explanation: string;
  judgedBy: JudgedBy;
  storedAt: number;
  changeSeq: number;
}

export type NewCausalLink = Omit<CausalLinkRecord, 'sessionId' | 'changeSeq' | 'storedAt'>;

/** Everything that changed in a session after a watermark, packed, for a projection. */
export interface CausalChanges {
  /** Number and time of events that are new or changed. */
  events: { nos: Int32Array; happenedAt: Float64Array };
  /** Links that are new or changed; `relations` are places in `RELATIONS`, `judges` in `JUDGES`. */
  links: {
    causes: Int32Array;
    effects: Int32Array;
    relations: Uint8Array;
    confidences: Float64Array;
    judges: Uint8Array;
  };
  /** Events that are gone, and their links with them. */
  removedEvents: Int32Array;
  removedLinks: { causes: Int32Array; effects: Int32Array };
  /** The watermark after these changes. */
  through: number;
  more: boolean;
}

/** How far a session's record has come. */
export interface CausalHead {
  sessionId: string;
  /** Stands for the session in derived data; never given to another one. */
  sessionKey: number;
  changeSeq: number;
}

/**
 * Events and links of causal memory. What holds at all times, whoever writes:
 * a link joins two events of one session; `caused` and `enabled` never point forward in time (the cause is not later
 * than its effect) and never close a loop; what supersedes is not earlier than what it supersedes. Only `prevented`
 * may join either way: an outcome averted later, or one that happened before and is kept from happening again.
 * There is one link for each ordered pair of events, and nobody replaces the word of one who outranks them.
 */
export interface CausalStore {
  /**
   * Stores events with jobs, the links that are known with them (those that may be stored), and how far a conversation
   * has been read for them.
   * @throws session_not_found
   */
  addEvents(input: {
    sessionId: string;
    events: NewCausalEvent[];
    links?: NewCausalLink[];
    jobs: NewJob[];
    progress: { conversationId: string; throughTurn: number } | null;
    now: number;
  }): Promise<CausalEventRecord[]>;
  /** A person's correction or confirmation. Null when there is none. @throws link_refused when a link forbids the new time */
  changeEvent(input: {
    sessionId: string;
    eventId: string;
    change: { text?: { text: string; terms: TermCounts }; actor?: string | null; happenedAt?: number };
    jobs?: NewJob[];
    now: number;
  }): Promise<CausalEventRecord | null>;
  /** Removes the event and its links. False when there was none. */
  removeEvent(input: { sessionId: string; eventId: string; by: JudgedBy; now: number }): Promise<boolean>;
  /**
   * Adds links, all or none; one that is there already is replaced when `judgedBy` does not rank below. Returns the
   * links as they stand, in order.
   * @throws event_not_found, link_refused
   */
  addLinks(input: { sessionId: string; links: NewCausalLink[]; now: number }): Promise<CausalLinkRecord[]>;
  /** Changes a link by a person's word. Null when there is none. @throws link_refused */
  changeLink(input: {
    sessionId: string;
    linkId: string;
    change: { relation?: Relation; confidence?: number; explanation?: string };
    now: number;
  }): Promise<CausalLinkRecord | null>;
  /** False when there was none. What a person removed, no judge puts back. */
  removeLink(input: { sessionId: string; linkId: string; by: JudgedBy; now: number }): Promise<boolean>;
  /** A judge's answer: stores what may be stored of `links` and marks the events as judged, in one transaction. */
  settle(input: {
    sessionId: string;
    eventIds: string[];
    links: NewCausalLink[];
    now: number;
  }): Promise<{ links: CausalLinkRecord[]; refused: number }>;
  /** Notes that events were of use. Not a change. */
  use(input: { sessionId: string; eventNos: number[]; now: number }): Promise<void>;

  getEvent(sessionId: string, eventId: string): Promise<CausalEventRecord | null>;
  /** The events with these numbers, those that are still there. */
  eventsByNo(sessionId: string, eventNos: number[]): Promise<RankedEvent[]>;
  getLink(sessionId: string, linkId: string): Promise<CausalLinkRecord | null>;
  /** The links that join any two of these events. */
  linksAmong(sessionId: string, eventNos: number[]): Promise<CausalLinkRecord[]>;
  /** Newest first: what happened not after `before`, of one actor, one conversation or the whole session. */
  recentEvents(input: {
    sessionId: string;
    before: { happenedAt: number; eventNo: number } | null;
    actor?: string;
    conversationId?: string;
    openOnly?: boolean;
    limit: number;
  }): Promise<RankedEvent[]>;
  /**
   * Decisions that hold: what enabled something and was superseded by nothing, newest first; of one actor or all.
   * Looked for among the newest few hundred.
   */
  inForce(input: {
    sessionId: string;
    before: { happenedAt: number; eventNo: number };
    actor?: string;
    limit: number;
  }): Promise<RankedEvent[]>;
  /** Events that hold any of the terms, by BM25 inside the session, best first. */
  search(input: {
    sessionId: string;
    terms: readonly string[];
    before: { happenedAt: number; eventNo: number } | null;
    limit: number;
  }): Promise<{ event: RankedEvent; score: number }[]>;
  /** Where the chains through these events end: for each event number the numbers of open events it led to. */
  chainEnds(sessionId: string, eventNos: number[]): Promise<{ eventNo: number; ends: number[] }[]>;
  /** The last turn of a conversation that was read for events; 0 when none was. */
  progress(sessionId: string, conversationId: string): Promise<number>;

  /** What changed after watermark `after`, oldest first; about `limit` rows. */
  changesSince(sessionId: string, after: number, limit: number): Promise<CausalChanges>;
  /** Null for a session that is not there; a watermark of 0 for one without events. */
  head(sessionId: string): Promise<CausalHead | null>;
  /** Sessions that have a causal memory, by key. */
  heads(afterKey: number, limit: number): Promise<CausalHead[]>;
  /** Rows in all, kept by counters; `changes` is the sum of all watermarks. */
  counts(): Promise<{ events: number; links: number; changes: number }>;
}
